// Filters of the frontend: triangles spaced evenly on a mel scale, or in pitch.
//
// The mel scales: Slaney, "Auditory Toolbox", Interval Research TR 1998-010 (linear below 1 kHz, logarithmic above);
// Young et al., "The HTK Book". The filters as librosa.filters.mel makes them, whose sides are straight over Hz; with
// filter_axis = mel as keras.layers.MelSpectrogram, whose sides are straight over mel.
#pragma once

#include <vector>

#include "audio/frontend_options.h"
#include "kernels/filter_bank.h"

namespace melgrad {

double hz_to_mel(double hz, MelScale scale);
double mel_to_hz(double mel, MelScale scale);

// The bank of `options`: mels filters over n_fft / 2 + 1 bins. Slaney's norm gives each filter the area 1 over Hz,
// otherwise each peaks at 1. A filter narrower than a bin may have no weight at all; its output is then zero.
FilterBank mel_filters(const FrontendOptions& options);

// The bank of options.bands_per_octave, as madmom's LogarithmicFilterbank defines it (Böck et al. 2016) and Korzeniowski
// and Widmer's key networks take it ("End-to-end musical key estimation using a convolutional neural network", EUSIPCO
// 2017). The pitches 440 Hz · 2^(i / bands_per_octave) between fmin and fmax each become the nearest bin of the
// spectrum; a bin that several pitches share counts once. Filter f rises from bin f of that list to 1 at the next and
// falls to 0 at the one after. Slaney's norm: the weights of each sum to 1.
FilterBank pitch_filters(const FrontendOptions& options);
// That list of bins, ascending: two more than there are filters.
std::vector<int64_t> pitch_bins(const FrontendOptions& options);

// The middle of a band in Hz: its peak, or its bin of the spectrum.
double band_hz(const FrontendOptions& options, int64_t band);

// How many bands a frame has before the logarithm: mels, the filters in pitch, or the bins of the spectrum; the rows of
// a key spectrogram; 1 for a waveform.
int64_t band_count(const FrontendOptions& options);

}  // namespace melgrad
