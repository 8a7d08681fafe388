// From samples to what a network sees: STFT, power, mel filters, logarithm, MFCC, as FrontendOptions says.
//
// Exact to librosa 0.11 within the bounds that tests/audio/golden_test.cpp states.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "audio/frontend_options.h"
#include "kernels/dct.h"
#include "kernels/fft.h"
#include "kernels/filter_bank.h"

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
  int64_t bins() const { return options_.mfcc > 0 ? options_.mfcc : bands(); }
  // How many frames so many samples give; 0 if they are too few for one (or for the `frames` of the options).
  int64_t frames_for(int64_t samples) const;

  // `samples` at options().sample_rate, full scale ±1. Any number of threads may call it at once. Throws Error for too
  // few samples, and for samples that are not finite or so large that their power is not.
  Features compute(std::span<const float> samples) const;

 private:
  struct Workspace;

  int64_t bands() const { return options_.mels > 0 ? options_.mels : options_.n_fft / 2 + 1; }
  Features compute_bands(std::span<const float> samples) const;
  void load_frame(std::span<const float> samples, int64_t frame, int64_t lane, Workspace& workspace) const;
  void transform_frames(Workspace& workspace) const;
  void apply_log(std::vector<float>& values) const;
  void apply_db(std::vector<float>& values) const;
  Features apply_dct(const Features& features) const;

  FrontendOptions options_;
  std::vector<float> window_;  // (n_fft)
  std::shared_ptr<const RealFft> fft_;
  std::optional<FilterBank> filters_;
  std::optional<Dct> dct_;
};

}  // namespace melgrad
