// Equalisation, level and hiss of a rendered clip.
#pragma once

#include <cstdint>
#include <span>

#include "audio/synth/score.h"

namespace melgrad {

// Applies `mastering` to `samples` in place: two shelves and bells (Bristow-Johnson's "Audio EQ cookbook" biquads),
// then the peak is set, then noise is added. Silence stays silence apart from the noise. `sample_rate` in Hz; filters
// whose frequency is not below half of it are an Error.
void master(const Mastering& mastering, int64_t sample_rate, std::span<float> samples);

}  // namespace melgrad
