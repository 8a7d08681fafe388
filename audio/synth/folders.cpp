#include "audio/synth/folders.h"

#include <sndfile.h>

#include <mutex>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "audio/synth/compose.h"
#include "audio/synth/genres.h"
#include "audio/synth/soundfont.h"
#include "kernels/error.h"
#include "kernels/thread_pool.h"

namespace melgrad {
namespace {

void write_wav(const std::filesystem::path& file, std::span<const float> samples, int64_t sample_rate) {
  SF_INFO info{};
  info.samplerate = static_cast<int>(sample_rate);
  info.channels = 1;
  info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  SNDFILE* sound = sf_open(file.c_str(), SFM_WRITE, &info);
  require(sound != nullptr, "cannot write {}: {}", file.string(), sf_strerror(nullptr));
  const auto frames = static_cast<sf_count_t>(samples.size());
  const bool complete = sf_writef_float(sound, samples.data(), frames) == frames;
  const std::string text = sf_strerror(sound);
  const bool closed = sf_close(sound) == 0;
  require(complete && closed, "cannot write {}: {}", file.string(), text);
}

}  // namespace

void synth_folders(const SynthFoldersOptions& options, ThreadPool& pool, const SynthProgress& progress) {
  require(options.clips > 0, "synth folders: needs at least one clip, got {}", options.clips);
  require(options.seconds > 0, "synth folders: a clip needs a length, got {} s", options.seconds);
  const std::filesystem::path soundfont = find_soundfont();
  const auto all = genres();
  const auto genre_count = static_cast<int64_t>(all.size());
  for (const Genre& genre : all) {
    std::error_code error;
    std::filesystem::create_directories(options.out / genre.name, error);
    require(!error, "cannot make folder {}: {}", (options.out / genre.name).string(), error.message());
  }

  std::mutex mutex;
  int64_t done = 0;
  pool.run(options.clips, [&](int64_t clip) {
    const Genre& genre = all[static_cast<std::size_t>(clip % genre_count)];
    const Score score = compose(genre, {.seconds = options.seconds, .seed = options.seed, .clip = clip});
    const std::vector<float> samples = render(score, {.soundfont = soundfont, .sample_rate = options.sample_rate});
    write_wav(options.out / genre.name / fmt::format("{}.{:05}.wav", genre.name, clip / genre_count), samples,
              options.sample_rate);
    const std::lock_guard lock(mutex);
    ++done;
    if (progress) progress(done, options.clips);
  });
}

}  // namespace melgrad
