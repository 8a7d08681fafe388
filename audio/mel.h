// What a mel is: the scales, and the triangular filters spaced evenly on them.
//
// Slaney, "Auditory Toolbox", Interval Research TR 1998-010 (linear below 1 kHz, logarithmic above); Young et al., "The
// HTK Book". As librosa.filters.mel makes them.
#pragma once

#include "audio/frontend_options.h"
#include "kernels/filter_bank.h"

namespace melgrad {

double hz_to_mel(double hz, MelScale scale);
double mel_to_hz(double mel, MelScale scale);

// The bank of `options`: mels filters over n_fft / 2 + 1 bins. Slaney's norm gives each filter the area 1 over Hz,
// otherwise each peaks at 1. A filter narrower than a bin may have no weight at all; its output is then zero.
FilterBank mel_filters(const FrontendOptions& options);

}  // namespace melgrad
