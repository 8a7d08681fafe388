#include "apps/feature_picture.h"

#include <algorithm>
#include <cmath>

#include "apps/plots/plots.h"
#include "audio/mel.h"

namespace melgrad {
namespace {

// Where a frequency lies among the bands, whose middles ascend in Hz: in bands from the lower edge of the first; NaN
// outside.
double place_of(const FrontendOptions& options, int64_t bands, double hertz) {
  for (int64_t band = 0; band + 1 < bands; ++band) {
    const double low = band_hz(options, band), high = band_hz(options, band + 1);
    if (hertz >= low && hertz <= high && high > low)
      return static_cast<double>(band) + 0.5 + (hertz - low) / (high - low);
  }
  return NAN;
}

// Round frequencies: evenly spaced on a linear axis; on others, which are even in pitch at least at the top, octaves.
std::vector<double> round_frequencies(const FrontendOptions& options) {
  std::vector<double> all;
  if (options.mels > 0 || options.bands_per_octave > 0) {
    for (double hertz = 62.5; hertz <= 32000; hertz *= 2) all.push_back(hertz);
    return all;
  }
  const double nyquist = static_cast<double>(options.sample_rate) / 2;
  const double decade = std::pow(10, std::floor(std::log10(nyquist / 3)));
  const double step = nyquist / decade > 6 ? 2 * decade : decade;
  for (double hertz = 0; hertz <= nyquist; hertz += step) all.push_back(hertz);
  return all;
}

std::vector<plots::Tick> frequency_ticks(const FrontendOptions& options, int64_t bands) {
  std::vector<plots::Tick> ticks;
  for (double hertz : round_frequencies(options)) {
    const double place = place_of(options, bands, hertz);
    if (!std::isnan(place)) ticks.push_back({place, fmt::format("{:g}", hertz)});
  }
  return ticks;
}

// A key spectrogram as the picture that it is: time to the right, frequency up. Its rows come from the top down, and a
// plot wants a column after the other, from the bottom up.
std::vector<float> upright(const Features& grey) {
  std::vector<float> columns;
  columns.reserve(grey.values.size());
  for (int64_t column = 0; column < grey.bins; ++column)
    for (int64_t row = grey.frames - 1; row >= 0; --row)
      columns.push_back(grey.values[static_cast<std::size_t>(row * grey.bins + column)]);
  return columns;
}

// Powers span many orders of magnitude, of which colours show one: in dB below the largest, down to 80.
std::vector<float> in_decibels(std::span<const float> powers) {
  const double largest = powers.empty() ? 0 : static_cast<double>(*std::ranges::max_element(powers));
  std::vector<float> decibels;
  decibels.reserve(powers.size());
  for (const float power : powers) {
    const double ratio = largest > 0 ? static_cast<double>(power) / largest : 0;
    decibels.push_back(static_cast<float>(10 * std::log10(std::max(ratio, 1e-8))));
  }
  return decibels;
}

}  // namespace

void draw_features(const std::filesystem::path& picture, const std::string& title, const FrontendOptions& options,
                   const Features& features) {
  if (options.kind == FeatureKind::waveform)
    return plots::plot_waveform(picture, title, features.values, options.sample_rate);
  const bool cepstral = options.mfcc > 0, grey = options.kind == FeatureKind::key_spectrogram;
  const bool powers = !cepstral && !grey && options.log == LogScale::none && options.normalise == Normalise::none;
  const bool decibels =
      powers || (!cepstral && !grey && options.log == LogScale::db && options.normalise == Normalise::none);
  std::vector<float> changed;
  if (grey) changed = upright(features);
  if (powers) changed = in_decibels(features.values);
  plots::FeaturePicture drawn{
      .title = title,
      .values = {grey || powers ? changed : features.values, features.frames, features.bins},
      .hop_seconds = static_cast<double>(options.hop) / static_cast<double>(options.sample_rate),
      .ticks = cepstral || grey ? std::vector<plots::Tick>{} : frequency_ticks(options, features.bins),
      .axis_label = cepstral ? "coefficient"
                    : grey   ? "pixel"
                             : "Hz",
      .value_label = decibels ? "dB" : "value",
      .around_zero = cepstral};
  if (grey) {  // pixels both ways
    drawn.hop_seconds = 1;
    drawn.time_label = "pixel";
  }
  plots::plot_feature(picture, drawn);
}

}  // namespace melgrad
