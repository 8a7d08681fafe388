#include "audio/mel.h"

#include <algorithm>
#include <cmath>

namespace melgrad {
namespace {

// Slaney's scale: 200/3 Hz a mel up to 1 kHz, then 27 mels for each factor of 6.4.
constexpr double hz_per_mel = 200.0 / 3;
constexpr double knee_hz = 1000;
constexpr double knee_mel = knee_hz / hz_per_mel;
const double log_step = std::log(6.4) / 27;

}  // namespace

double hz_to_mel(double hz, MelScale scale) {
  if (scale == MelScale::htk) return 2595 * std::log10(1 + hz / 700);
  return hz < knee_hz ? hz / hz_per_mel : knee_mel + std::log(hz / knee_hz) / log_step;
}

double mel_to_hz(double mel, MelScale scale) {
  if (scale == MelScale::htk) return 700 * (std::pow(10, mel / 2595) - 1);
  return mel < knee_mel ? mel * hz_per_mel : knee_hz * std::exp(log_step * (mel - knee_mel));
}

FilterBank mel_filters(const FrontendOptions& options) {
  const int64_t bins = options.n_fft / 2 + 1;
  const double lowest = hz_to_mel(options.fmin, options.mel_scale);
  const double highest = hz_to_mel(options.fmax_hz(), options.mel_scale);
  const double step = (highest - lowest) / static_cast<double>(options.mels + 1);
  const auto edge = [&](int64_t i) { return mel_to_hz(lowest + step * static_cast<double>(i), options.mel_scale); };
  std::vector<float> weights;
  weights.reserve(static_cast<std::size_t>(options.mels * bins));
  for (int64_t m = 0; m < options.mels; ++m) {
    const double left = edge(m), peak = edge(m + 1), right = edge(m + 2);
    const double height = options.mel_norm == MelNorm::slaney ? 2 / (right - left) : 1;
    for (int64_t k = 0; k < bins; ++k) {
      const double hz = static_cast<double>(k * options.sample_rate) / static_cast<double>(options.n_fft);
      const double triangle = std::min((hz - left) / (peak - left), (right - hz) / (right - peak));
      weights.push_back(static_cast<float>(height * std::max(0.0, triangle)));
    }
  }
  return FilterBank(weights, options.mels, bins);
}

}  // namespace melgrad
