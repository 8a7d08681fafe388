// FluidSynth and a General MIDI soundfont, as a function from a score to samples.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "audio/synth/score.h"

namespace melgrad {

// The soundfont that rendering uses: $MELGRAD_SOUNDFONT where set, else the first of Debian's General MIDI soundfonts,
// TimGM6mb first. Throws Error that says what to install when there is none.
std::filesystem::path find_soundfont();

struct RenderOptions {
  std::filesystem::path soundfont;
  int64_t sample_rate = 22050;  // Hz, 8000 … 96000
};

// Mono samples of score.seconds, mastered; in [-1, 1] but for hiss on top of a peak at full scale, and exactly the same
// for the same score. Every call loads the soundfont into an engine of its own (some milliseconds): FluidSynth's reset
// leaves traces of what was played before, so a clip would depend on its neighbours. May be called by several threads.
// Throws Error with FluidSynth's text when the soundfont cannot be loaded, and for notes and programs outside MIDI's
// ranges.
std::vector<float> render(const Score& score, const RenderOptions& options);

}  // namespace melgrad
