#include "apps/audio_picture.h"

#include <algorithm>
#include <cmath>

#include "apps/plots/plots.h"
#include "audio/frontend.h"
#include "audio/segments.h"

namespace melgrad {
namespace {

// The spectrum itself, as power in dB: no filters, whatever the network sees.
FrontendOptions spectrogram_options(FrontendOptions options) {
  options.kind = FeatureKind::spectrum;
  options.mels = 0;
  options.bands_per_octave = 0;
  options.mfcc = 0;
  options.power = 2;
  options.log = LogScale::db;
  options.ref = {};  // the largest of the file is 0 dB
  options.top_db = 100;
  options.frames = 0;
  options.normalise = Normalise::none;
  return options;
}

// The network's own, or librosa's for its frames.
FrontendOptions mfcc_options(const FrontendOptions& of_network) {
  FrontendOptions options;
  if (of_network.mfcc > 0) {
    options = of_network;
    options.frames = 0;
    return options;
  }
  options.sample_rate = of_network.sample_rate;
  options.n_fft = of_network.n_fft;
  options.hop = of_network.hop;
  if (of_network.mels > 0) options.mels = of_network.mels;
  options.ref = 1.0;
  options.mfcc = std::min<int64_t>(13, options.mels);
  return options;
}

// Mean power of each bin over time, in dB below the largest of the spectrogram.
std::vector<plots::Point> mean_spectrum(const Features& spectrogram, int64_t sample_rate) {
  std::vector<plots::Point> points;
  for (int64_t bin = 1; bin < spectrogram.bins; ++bin) {
    double power = 0;
    for (int64_t frame = 0; frame < spectrogram.frames; ++frame)
      power += std::pow(10, spectrogram.values[static_cast<std::size_t>(frame * spectrogram.bins + bin)] / 10);
    const double hertz =
        static_cast<double>(bin) * static_cast<double>(sample_rate) / (2.0 * static_cast<double>(spectrogram.bins - 1));
    points.push_back({hertz, 10 * std::log10(power / static_cast<double>(spectrogram.frames))});
  }
  return points;
}

plots::Matrix matrix_of(const Features& features) {
  return {features.values, features.frames, features.bins};
}

}  // namespace

void draw_audio_picture(const std::filesystem::path& picture, const std::filesystem::path& audio,
                        const FrontendOptions& frontend,
                        const std::vector<std::pair<std::string, float>>& predictions) {
  const std::vector<float> samples = load_samples(audio, frontend.sample_rate);
  const Features spectrogram = Frontend(spectrogram_options(frontend)).compute(samples);
  const Features mfcc = Frontend(mfcc_options(frontend)).compute(samples);
  plots::plot_audio(picture,
                    {.title = audio.filename().string(),
                     .samples = samples,
                     .sample_rate = frontend.sample_rate,
                     .spectrum = mean_spectrum(spectrogram, frontend.sample_rate),
                     .spectrogram = matrix_of(spectrogram),
                     .mfcc = matrix_of(mfcc),
                     .hop_seconds = static_cast<double>(frontend.hop) / static_cast<double>(frontend.sample_rate),
                     .predictions = predictions});
}

}  // namespace melgrad
