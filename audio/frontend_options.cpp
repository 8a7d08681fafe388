#include "audio/frontend_options.h"

namespace melgrad {
namespace {

void check_transform(const FrontendOptions& o) {
  require(o.sample_rate >= 1 && o.sample_rate <= 10'000'000, "frontend.sample_rate: {} is not in 1 … 10000000",
          o.sample_rate);
  require(o.n_fft >= 2 && o.n_fft <= (1 << 24), "frontend.n_fft: {} is not in 2 … 16777216", o.n_fft);
  require(o.hop >= 1 && o.hop <= (1 << 24), "frontend.hop: {} is not in 1 … 16777216", o.hop);
  require(o.power > 0 && std::isfinite(o.power), "frontend.power: {} is not a positive number", o.power);
}

void check_filters(const FrontendOptions& o) {
  const double nyquist = static_cast<double>(o.sample_rate) / 2;
  require(o.bands_per_octave == 0, "frontend.bands_per_octave: {}: log-frequency filters are not there yet; leave it 0",
          o.bands_per_octave);
  require(o.mels >= 0 && o.mels <= 65536, "frontend.mels: {} is not in 0 … 65536", o.mels);
  require(o.fmin >= 0 && o.fmin < o.fmax_hz(), "frontend.fmin: {} is not in 0 … fmax ({})", o.fmin, o.fmax_hz());
  require(o.fmax_hz() <= nyquist, "frontend.fmax: {} is above half the sample rate ({})", o.fmax_hz(), nyquist);
  require(o.mel_power > 0 && std::isfinite(o.mel_power), "frontend.mel_power: {} is not a positive number",
          o.mel_power);
}

void check_scale(const FrontendOptions& o) {
  require(o.log_scale > 0 && std::isfinite(o.log_scale), "frontend.log_scale: {} is not a positive number",
          o.log_scale);
  require(o.ref.value_or(1) > 0 && std::isfinite(o.ref.value_or(1)), "frontend.ref: {} is not a positive number",
          o.ref.value_or(1));
  // Smaller ones are zero or denormal as float, whose logarithm would be -inf.
  require(o.amin >= 1e-37 && std::isfinite(o.amin), "frontend.amin: {} is below 1e-37", o.amin);
  require(o.top_db.value_or(0) >= 0, "frontend.top_db: {} is negative", o.top_db.value_or(0));
  const int64_t bands = o.mels > 0 ? o.mels : o.n_fft / 2 + 1;
  require(o.mfcc >= 0 && o.mfcc <= bands, "frontend.mfcc: {} is not in 0 … {} (the number of bands)", o.mfcc, bands);
  require(o.frames >= 0, "frontend.frames: {} is negative", o.frames);
}

std::vector<FrontendPreset> make_presets() {
  std::vector<FrontendPreset> presets;
  presets.push_back({"librosa", "log-mel as librosa 0.9 and later: 22,050 Hz, 2048/512, 128 mel, dB below the maximum",
                     FrontendOptions{}});

  FrontendOptions before_0_9;
  before_0_9.pad = PadMode::reflect;
  presets.push_back({"librosa-0.8", "log-mel as librosa before 0.9: the same with padding by reflection", before_0_9});

  FrontendOptions gtzan = before_0_9;
  gtzan.ref = 1.0;
  gtzan.mfcc = 13;
  presets.push_back({"gtzan-mfcc", "13 MFCC for genres: 22,050 Hz, 2048/512, 128 mel, reflect, dB with ref 1", gtzan});
  return presets;
}

}  // namespace

void validate(const FrontendOptions& options) {
  check_transform(options);
  check_filters(options);
  check_scale(options);
}

const std::vector<FrontendPreset>& frontend_presets() {
  static const std::vector<FrontendPreset> presets = make_presets();
  return presets;
}

const FrontendOptions& frontend_preset(const std::string& name) {
  std::string known;
  for (const FrontendPreset& preset : frontend_presets()) {
    if (preset.name == name) return preset.options;
    known += (known.empty() ? "" : ", ") + preset.name;
  }
  fail("frontend.preset: unknown preset '{}'; there is {}", name, known);
}

}  // namespace melgrad
