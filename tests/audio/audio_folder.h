// A folder that is there while a test runs, with audio files written into it.
#pragma once

#include <sndfile.h>

#include <filesystem>
#include <span>
#include <string>

#include "kernels/error.h"
#include "tests/temporary_folder.h"

namespace melgrad::test {

class AudioFolder : public TemporaryFolder {
 public:
  // `samples` interleaved; `format` as libsndfile has them.
  std::filesystem::path write_audio(const std::string& name, std::span<const float> samples, int rate, int channels = 1,
                                    int format = SF_FORMAT_WAV | SF_FORMAT_FLOAT) const {
    const std::filesystem::path path = *this / name;
    std::filesystem::create_directories(path.parent_path());
    SF_INFO info{};
    info.samplerate = rate;
    info.channels = channels;
    info.format = format;
    SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
    require(file != nullptr, "{}: {}", path.string(), sf_strerror(nullptr));
    const auto count = static_cast<sf_count_t>(samples.size());
    const bool written = sf_write_float(file, samples.data(), count) == count;
    sf_close(file);
    require(written, "{}: cannot be written", path.string());
    return path;
  }
};

// The message of the Error that `body` throws; empty if it throws none.
template <class Body>
std::string error_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace melgrad::test
