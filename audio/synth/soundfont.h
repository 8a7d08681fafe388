// Soundfont: FluidSynth and one General MIDI soundfont, as a function from a score to samples.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "audio/synth/score.h"

namespace melgrad {

// The soundfont that rendering uses: $MELGRAD_SOUNDFONT where set, else the first of Debian's General MIDI soundfonts,
// TimGM6mb first. Throws Error that says what to install when there is none.
std::filesystem::path find_soundfont();

// A loaded soundfont. Loading parses the file once; render() then makes a fresh FluidSynth voice engine for each score,
// so that a clip does not depend on what was rendered before it. Not to be shared by threads: one each.
class Soundfont {
 public:
  // Throws Error with FluidSynth's text when the file cannot be loaded. `sample_rate` in Hz, 8000 … 96000.
  Soundfont(const std::filesystem::path& file, int64_t sample_rate);
  ~Soundfont();
  Soundfont(Soundfont&&) noexcept;
  Soundfont& operator=(Soundfont&&) noexcept;

  // Mono samples of score.seconds, mastered; nominally in [-1, 1], and exactly the same for the same score.
  // Throws Error for notes outside MIDI's ranges.
  std::vector<float> render(const Score& score);

  int64_t sample_rate() const { return sample_rate_; }

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
  int64_t sample_rate_;
};

}  // namespace melgrad
