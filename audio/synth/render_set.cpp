#include "audio/synth/render_set.h"

#include <sndfile.h>

#include <mutex>
#include <system_error>

#include "audio/synth/soundfont.h"
#include "kernels/error.h"
#include "kernels/thread_pool.h"

namespace melgrad {

void write_audio(const std::filesystem::path& file, std::span<const float> samples, int64_t sample_rate) {
  const bool mp3 = file.extension() == ".mp3";
  SF_INFO info{};
  info.samplerate = static_cast<int>(sample_rate);
  info.channels = 1;
  info.format = mp3 ? SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III : SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  require(sf_format_check(&info) != 0, "cannot write {}: this libsndfile ({}) writes no {} at {} Hz{}", file.string(),
          sf_version_string(), mp3 ? "MP3" : "WAV", sample_rate,
          mp3 ? "; version 1.1 or later, built with LAME, does (Debian 12 has it)" : "");
  SNDFILE* sound = sf_open(file.c_str(), SFM_WRITE, &info);
  require(sound != nullptr, "cannot write {}: {}", file.string(), sf_strerror(nullptr));
  const auto frames = static_cast<sf_count_t>(samples.size());
  const bool complete = sf_writef_float(sound, samples.data(), frames) == frames;
  const std::string text = sf_strerror(sound);
  const bool closed = sf_close(sound) == 0;
  require(complete && closed, "cannot write {}: {}", file.string(), text);
}

void render_set(const SynthOptions& options, int64_t sample_rate, const std::function<Piece(int64_t clip)>& piece_of,
                ThreadPool& pool, const SynthProgress& progress) {
  require(options.clips > 0, "synth: needs at least one clip, got {}", options.clips);
  require(options.seconds > 0, "synth: a clip needs a length, got {} s", options.seconds);
  const std::filesystem::path soundfont = find_soundfont();
  std::mutex mutex;
  int64_t done = 0;
  pool.run(options.clips, [&](int64_t clip) {
    const Piece piece = piece_of(clip);
    const std::filesystem::path file = options.out / piece.file;
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    require(!error, "cannot make folder {}: {}", file.parent_path().string(), error.message());
    write_audio(file, render(piece.score, {.soundfont = soundfont, .sample_rate = sample_rate}), sample_rate);
    const std::lock_guard lock(mutex);
    ++done;
    if (progress) progress(done, options.clips);
  });
}

}  // namespace melgrad
