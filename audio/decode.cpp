#include "audio/decode.h"

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "audio/truncation.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

struct CloseSound {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using Sound = std::unique_ptr<SNDFILE, CloseSound>;

void check_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  require(std::filesystem::exists(status), "{}: no such file; check the path", path.string());
  require(!std::filesystem::is_directory(status), "{}: is a folder; give an audio file", path.string());
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) return;  // a pipe, say: libsndfile will tell
  require(bytes > 0, "{}: the file is empty; replace or remove it", path.string());
}

// Whether the start of a file named like an MP3 may be one. libmpg123 would search a text for frames, loudly.
void check_mpeg(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  if (extension != ".mp3" && extension != ".MP3") return;
  std::string start(1 << 16, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(file.gcount()));
  // A frame begins with eleven bits set. What else libsndfile knows (a WAV named .mp3) begins with letters.
  bool frame = start.starts_with("ID3") || start.starts_with("RIFF") || start.starts_with("OggS");
  for (std::size_t i = 0; !frame && i + 1 < start.size(); ++i)
    frame = static_cast<unsigned char>(start[i]) == 0xFF && static_cast<unsigned char>(start[i + 1]) >= 0xE0;
  require(frame, "{}: cannot be read as audio (no MP3 frame in it); replace it", path.string());
}

// libsndfile's words as the end of a line.
std::string_view without_period(std::string_view text) {
  while (text.ends_with('.') || text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

Sound open(const std::filesystem::path& path, SF_INFO& info) {
  Sound file(sf_open(path.c_str(), SFM_READ, &info));
  require(file != nullptr, "{}: cannot be read as audio ({}); replace it, or convert it to WAV, FLAC, OGG or MP3",
          path.string(), without_period(sf_strerror(nullptr)));
  require(info.channels >= 1 && info.samplerate >= 1, "{}: {} channels at {} Hz make no audio; replace the file",
          path.string(), info.channels, info.samplerate);
  return file;
}

// Appends the mean over the channels of each frame.
void append_mono(std::span<const float> interleaved, int64_t channels, std::vector<float>& samples) {
  const auto width = static_cast<std::size_t>(channels);
  if (width == 1) {
    samples.insert(samples.end(), interleaved.begin(), interleaved.end());
    return;
  }
  for (std::size_t start = 0; start < interleaved.size(); start += width) {
    float sum = 0;
    for (std::size_t channel = 0; channel < width; ++channel) sum += interleaved[start + channel];
    samples.push_back(sum / static_cast<float>(channels));
  }
}

std::vector<float> read_all(SNDFILE* file, int64_t channels) {
  constexpr int64_t buffer_samples = 1 << 16;
  const int64_t frames = std::max<int64_t>(1, buffer_samples / channels);
  std::vector<float> buffer(static_cast<std::size_t>(frames * channels));
  std::vector<float> samples;
  for (;;) {
    const sf_count_t read = sf_readf_float(file, buffer.data(), frames);
    if (read <= 0) return samples;
    append_mono(std::span(buffer).first(static_cast<std::size_t>(read * channels)), channels, samples);
  }
}

}  // namespace

Audio decode(const std::filesystem::path& path) {
  check_file(path);
  check_mpeg(path);
  SF_INFO info{};
  const Sound file = open(path, info);
  Audio audio{read_all(file.get(), info.channels), info.samplerate};
  require(sf_error(file.get()) == SF_ERR_NO_ERROR, "{}: damaged after {:.2f} s ({}); replace or re-encode it",
          path.string(), audio.seconds(), without_period(sf_strerror(file.get())));
  require(!audio.samples.empty(), "{}: holds no samples; replace or remove it", path.string());
  check_complete(path, info.format, info.frames, static_cast<int64_t>(audio.samples.size()));
  const auto bad = std::ranges::find_if_not(audio.samples, [](float sample) { return std::isfinite(sample); });
  require(bad == audio.samples.end(), "{}: sample {} is not a finite number; replace or re-encode the file",
          path.string(), bad - audio.samples.begin());
  return audio;
}

}  // namespace melgrad
