// Audio files to samples, through libsndfile: WAV, FLAC, OGG, MP3, AIFF and what else it reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace melgrad {

struct Audio {
  std::vector<float> samples;  // mono; full scale is ±1
  int64_t sample_rate = 0;     // Hz

  double seconds() const { return static_cast<double>(samples.size()) / static_cast<double>(sample_rate); }
};

// Decodes a whole file; several channels are averaged, as librosa.load does. The samples of an MP3 are those that
// libsndfile gives: encoder delay and padding are cut where the file's header tells them.
//
// Reads until there is no more, since a header's frame count can lie, and allocates as it reads. Throws Error, one line
// that names the file and says what to do, for a file that is missing, a folder, empty, not audio, damaged, shorter
// than its header says, without samples, or with samples that are not finite. One sample is audio.
Audio decode(const std::filesystem::path& path);

// The same, piece by piece: what is in memory does not grow with the file.
class AudioStream {
 public:
  explicit AudioStream(const std::filesystem::path& path);  // throws as decode() does
  ~AudioStream();
  AudioStream(const AudioStream&) = delete;
  AudioStream& operator=(const AudioStream&) = delete;

  int64_t sample_rate() const;  // Hz
  // How many samples read() gives in all, as the file's header has it. It can be wrong.
  int64_t announced_samples() const;
  // The next samples, mono; none at the end of the file. Throws Error where decode() would, when the fault is reached.
  std::span<const float> read();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace melgrad
