// From samples to what a network sees: STFT, power, mel filters, logarithm, MFCC, as FrontendOptions says.
//
// Exact to librosa 0.11 within the bounds that tests/audio/golden_test.cpp states.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "audio/frontend_options.h"
#include "kernels/dct.h"
#include "kernels/spectral_bands.h"

namespace melgrad {

// (frames, bins), time-major: values[frame * bins + bin].
struct Features {
  int64_t frames = 0;
  int64_t bins = 0;
  std::vector<float> values;
};

class Frontend {
 public:
  explicit Frontend(FrontendOptions options);  // throws Error for options that validate() refuses

  const FrontendOptions& options() const { return options_; }
  int64_t bins() const;
  // How many frames so many samples give; 0 if they are too few for one (or for the `frames` of the options).
  int64_t frames_for(int64_t samples) const;

  // `samples` at options().sample_rate, full scale ±1. Any number of threads may call it at once. Throws Error for too
  // few samples, and for samples that are not finite or so large that their power is not.
  Features compute(std::span<const float> samples) const;

  // The same in two steps, for signals that come piece by piece: bands of some frames, and what becomes of bands once
  // the largest of all is known. Pieces of any size give the bits of compute().
  int64_t bands() const { return bands_; }
  // How many frames of bands: frames_for(), but for a key spectrogram, whose frames become one picture.
  int64_t band_frames_for(int64_t samples) const;
  // The first sample that frame t reads, padding aside; it goes on for n_fft samples.
  int64_t frame_start(int64_t frame) const { return frame * options_.hop - (options_.center ? options_.n_fft / 2 : 0); }
  // values (end - begin, bands()): frames begin … end - 1, without the logarithm. `part` holds what these frames read,
  // and of the signal's first and last n_fft samples what their padding reflects. Throws Error for values that are not
  // finite.
  void compute_bands(const SignalPart& part, int64_t begin, int64_t end, std::span<float> values) const;
  // Whether finish() needs the largest band of the whole signal.
  bool needs_largest() const;
  // What to say of a signal of so few samples that band_frames_for() is 0.
  std::string too_short(int64_t samples) const;
  // The bands of some frames become their features; those of a key spectrogram must be all.
  void finish(Features& bands, float largest) const;

  Cost cost(int64_t frames) const;  // of compute(), for a spectrum

  // What it computes with, for other ways of computing it (audio/device_frontend.h). Null where there is none.
  const SpectralBands* plan() const { return spectral_bands_ ? &*spectral_bands_ : nullptr; }
  const std::optional<BandLogarithm>& logarithm() const { return logarithm_; }
  const Dct* dct() const { return dct_ ? &*dct_ : nullptr; }

 private:
  void make_plan();
  BandRange transform(const SignalPart& part, int64_t begin, int64_t end, const BandLogarithm* logarithm,
                      std::span<float> values) const;
  void finish_logarithms(Features& features, float largest, bool below_floor) const;
  float decibels(float power) const;
  void limit(std::span<float> values, float largest, bool below_floor) const;

  FrontendOptions options_;
  int64_t bands_;
  std::optional<SpectralBands> spectral_bands_;
  std::optional<BandLogarithm> logarithm_;
  std::optional<Dct> dct_;
};

}  // namespace melgrad
