#include "apps/feature_picture.h"

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

}  // namespace

void draw_features(const std::filesystem::path& picture, const std::string& title, const FrontendOptions& options,
                   const Features& features) {
  if (options.kind == FeatureKind::waveform)
    return plots::plot_waveform(picture, title, features.values, options.sample_rate);
  const bool cepstral = options.mfcc > 0, grey = options.kind == FeatureKind::key_spectrogram;
  plots::FeaturePicture drawn{
      .title = title,
      .values = {features.values, features.frames, features.bins},
      .hop_seconds = static_cast<double>(options.hop) / static_cast<double>(options.sample_rate),
      .ticks = cepstral || grey ? std::vector<plots::Tick>{} : frequency_ticks(options, features.bins),
      .axis_label = cepstral ? "coefficient"
                    : grey   ? "pixel"
                             : "Hz",
      .value_label = !cepstral && !grey && options.log == LogScale::db ? "dB" : "value",
      .around_zero = cepstral};
  if (grey) {  // pixels both ways
    drawn.hop_seconds = 1;
    drawn.time_label = "pixel";
  }
  plots::plot_feature(picture, drawn);
}

}  // namespace melgrad
