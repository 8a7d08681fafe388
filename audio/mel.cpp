#include "audio/mel.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "audio/key_spectrogram.h"

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

namespace {

double bin_hz(const FrontendOptions& options, int64_t bin) {
  return static_cast<double>(bin * options.sample_rate) / static_cast<double>(options.n_fft);
}

// The points that divide fmin … fmax evenly on the mel scale: filter m goes from point m over m + 1 to m + 2.
double mel_point(const FrontendOptions& options, int64_t i) {
  const double lowest = hz_to_mel(options.fmin, options.mel_scale);
  const double highest = hz_to_mel(options.fmax_hz(), options.mel_scale);
  return lowest + (highest - lowest) / static_cast<double>(options.mels + 1) * static_cast<double>(i);
}

}  // namespace

FilterBank mel_filters(const FrontendOptions& options) {
  const int64_t bins = options.n_fft / 2 + 1;
  const bool straight_over_mel = options.filter_axis == FilterAxis::mel;
  const auto on_axis = [&](double mel) { return straight_over_mel ? mel : mel_to_hz(mel, options.mel_scale); };
  std::vector<float> weights;
  weights.reserve(static_cast<std::size_t>(options.mels * bins));
  for (int64_t m = 0; m < options.mels; ++m) {
    const double left_mel = mel_point(options, m), right_mel = mel_point(options, m + 2);
    const double left = on_axis(left_mel), peak = on_axis(mel_point(options, m + 1)), right = on_axis(right_mel);
    const double width_hz = mel_to_hz(right_mel, options.mel_scale) - mel_to_hz(left_mel, options.mel_scale);
    const double height = options.mel_norm == MelNorm::slaney ? 2 / width_hz : 1;
    for (int64_t k = 0; k < bins; ++k) {
      const double hz = bin_hz(options, k);
      const double place = straight_over_mel ? hz_to_mel(hz, options.mel_scale) : hz;
      const double triangle = std::min((place - left) / (peak - left), (right - place) / (right - peak));
      weights.push_back(static_cast<float>(height * std::max(0.0, triangle)));
    }
  }
  return FilterBank(weights, options.mels, bins);
}

std::vector<int64_t> pitch_bins(const FrontendOptions& options) {
  constexpr double tuning_hz = 440;
  const auto per_octave = static_cast<double>(options.bands_per_octave);
  const double hz_per_bin = bin_hz(options, 1);
  // madmom leaves the bin at half the sample rate out, and never takes bin 0.
  const int64_t last_bin = options.n_fft / 2 - 1;
  std::vector<int64_t> bins;
  const auto lowest = static_cast<int64_t>(std::floor(std::log2(options.fmin / tuning_hz) * per_octave));
  for (int64_t i = lowest;; ++i) {
    const double hz = tuning_hz * std::exp2(static_cast<double>(i) / per_octave);
    if (hz > options.fmax_hz()) return bins;
    if (hz < options.fmin) continue;
    // Half way between two bins, the upper one.
    const auto nearest = static_cast<int64_t>(std::floor(hz / hz_per_bin + 0.5));
    const int64_t bin = std::clamp<int64_t>(nearest, 0, last_bin);
    if (bins.empty() || bins.back() != bin) bins.push_back(bin);
  }
}

FilterBank pitch_filters(const FrontendOptions& options) {
  const int64_t bins = options.n_fft / 2 + 1;
  const std::vector<int64_t> points = pitch_bins(options);
  std::vector<float> weights(static_cast<std::size_t>(band_count(options) * bins));
  for (std::size_t f = 0; f + 2 < points.size(); ++f) {
    const int64_t left = points[f], peak = points[f + 1], right = points[f + 2];
    const auto triangle = [&](int64_t k) {
      return k < peak ? static_cast<double>(k - left) / static_cast<double>(peak - left)
                      : static_cast<double>(right - k) / static_cast<double>(right - peak);
    };
    // The weights of a rising side of n bins sum to (n - 1) / 2, with the falling side's (n + 1) / 2.
    const double area = static_cast<double>(right - left) / 2;
    const double height = options.mel_norm == MelNorm::slaney ? 1 / area : 1;
    for (int64_t k = left; k < right; ++k)
      weights[f * static_cast<std::size_t>(bins) + static_cast<std::size_t>(k)] =
          static_cast<float>(height * triangle(k));
  }
  return FilterBank(weights, band_count(options), bins);
}

double band_hz(const FrontendOptions& options, int64_t band) {
  if (options.mels > 0) return mel_to_hz(mel_point(options, band + 1), options.mel_scale);
  if (options.bands_per_octave > 0) return bin_hz(options, pitch_bins(options)[static_cast<std::size_t>(band + 1)]);
  return bin_hz(options, band);
}

int64_t band_count(const FrontendOptions& options) {
  if (options.kind == FeatureKind::waveform) return 1;
  if (options.kind == FeatureKind::key_spectrogram) return key_picture_side;
  if (options.mels > 0) return options.mels;
  if (options.bands_per_octave > 0) return std::max<int64_t>(0, static_cast<int64_t>(pitch_bins(options).size()) - 2);
  return options.n_fft / 2 + 1;
}

}  // namespace melgrad
