#include "audio/frontend_options.h"

#include "audio/mel.h"

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
  require(o.bands_per_octave >= 0 && o.bands_per_octave <= 1200, "frontend.bands_per_octave: {} is not in 0 … 1200",
          o.bands_per_octave);
  require(o.bands_per_octave == 0 || o.mels == 0,
          "frontend.bands_per_octave: {} with mels = {}: filters are even in pitch or on the mel scale; set one to 0",
          o.bands_per_octave, o.mels);
  require(o.mels >= 0 && o.mels <= 65536, "frontend.mels: {} is not in 0 … 65536", o.mels);
  require(o.fmin >= 0 && o.fmin < o.fmax_hz(), "frontend.fmin: {} is not in 0 … fmax ({})", o.fmin, o.fmax_hz());
  require(o.fmax_hz() <= nyquist, "frontend.fmax: {} is above half the sample rate ({})", o.fmax_hz(), nyquist);
  require(o.bands_per_octave == 0 || o.fmin > 0,
          "frontend.fmin: 0 lies infinitely many octaves down; with bands_per_octave, give more");
  require(band_count(o) > 0, "frontend.bands_per_octave: {} bands between {} and {} Hz leave no filter",
          o.bands_per_octave, o.fmin, o.fmax_hz());
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
  const int64_t bands = band_count(o);
  require(o.mfcc >= 0 && o.mfcc <= bands, "frontend.mfcc: {} is not in 0 … {} (the number of bands)", o.mfcc, bands);
  require(o.frames >= 0, "frontend.frames: {} is negative", o.frames);
}

// The samples as they are: what comes after the transform has nothing to work on.
void check_waveform(const FrontendOptions& o) {
  const char* kind = "frontend.kind: a waveform has";
  require(o.log == LogScale::none, "{} no logarithm; set frontend.log = \"none\"", kind);
  require(o.mfcc == 0, "{} no MFCC; set frontend.mfcc = 0", kind);
  require(o.normalise == Normalise::none, "{} frames of one value; set frontend.normalise = \"none\"", kind);
}

void check_key_spectrogram(const FrontendOptions& o) {
  const char* kind = "frontend.kind: a key spectrogram";
  require(o.log == LogScale::db && o.top_db.value_or(0) > 0,
          "{} is drawn in dB; set frontend.log = \"db\" and a number for frontend.top_db", kind);
  require(o.mels == 0 && o.bands_per_octave == 0, "{} has bands of its own; set frontend.mels = 0", kind);
  require(o.mfcc == 0 && o.frames == 0 && o.normalise == Normalise::none,
          "{} is one picture; leave out frontend.mfcc, frames and normalise", kind);
}

// librosa before 0.9 padded by reflection. The systems published with it were trained on that.
FrontendOptions librosa_before_0_9(int64_t sample_rate, int64_t n_fft, int64_t hop, int64_t mels) {
  FrontendOptions options;
  options.sample_rate = sample_rate;
  options.n_fft = n_fft;
  options.hop = hop;
  options.mels = mels;
  options.pad = EdgePadding::reflect;
  return options;
}

void add_librosa(std::vector<FrontendPreset>& presets) {
  presets.push_back({"librosa", "log-mel as librosa 0.9 and later: 22,050 Hz, 2048/512, 128 mel, dB below the maximum",
                     FrontendOptions{}});
  presets.push_back({"librosa-0.8", "log-mel as librosa before 0.9: the same with padding by reflection",
                     librosa_before_0_9(22050, 2048, 512, 128)});
}

// Genre and tags.
void add_published(std::vector<FrontendPreset>& presets) {
  FrontendOptions gtzan = librosa_before_0_9(22050, 2048, 512, 128);
  gtzan.ref = 1.0;
  gtzan.mfcc = 13;
  presets.push_back({"gtzan-mfcc", "13 MFCC for genres: 22,050 Hz, 2048/512, 128 mel, reflect, dB with ref 1", gtzan});

  FrontendOptions fma = librosa_before_0_9(22050, 2048, 512, 128);
  fma.frames = 1024;
  fma.normalise = Normalise::frame_minmax;
  presets.push_back(
      {"fma-mel", "log-mel for FMA: 22,050 Hz, 2048/512, 128 mel, 1,024 frames, each scaled to 0 … 1", fma});

  const PresetClip mtat_start{.duration = 29.12, .crop = CropPosition::start, .short_clips = ShortClips::skip};
  FrontendOptions mtat = librosa_before_0_9(12000, 1024, 512, 48);
  mtat.ref = 1.0;
  presets.push_back({"mtat",
                     "log-mel for tags: 12 kHz, 1024/512, 48 mel (or mels=96), dB with ref 1, the first 29.12 s", mtat,
                     mtat_start});

  // Its script fills shorter clips up with zeros.
  const PresetClip choi_centre{.duration = 29.12, .crop = CropPosition::centre, .short_clips = ShortClips::pad};
  FrontendOptions choi = librosa_before_0_9(12000, 512, 256, 96);
  choi.ref = 1.0;
  choi.mel_power = 2;
  presets.push_back({"choi", "log-mel of Choi's tagger: 12 kHz, 512/256, 96 mel, power squared, the centre 29.12 s",
                     choi, choi_centre});

  FrontendOptions musicnn = librosa_before_0_9(16000, 512, 256, 96);
  musicnn.log = LogScale::log10p;
  musicnn.log_scale = 10000;
  presets.push_back({"musicnn", "16 kHz, 512/256, 96 mel, reflect, log10(1 + 10000 x)", musicnn});
}

// Layers of other frameworks, with their defaults.
void add_frameworks(std::vector<FrontendPreset>& presets) {
  FrontendOptions torchaudio;
  torchaudio.sample_rate = 16000;
  torchaudio.n_fft = 400;
  torchaudio.hop = 200;
  torchaudio.pad = EdgePadding::reflect;
  torchaudio.mel_scale = MelScale::htk;
  torchaudio.mel_norm = MelNorm::none;
  torchaudio.log = LogScale::none;
  presets.push_back(
      {"torchaudio", "torchaudio.transforms.MelSpectrogram: 16 kHz, 400/200, 128 HTK mel, power, no norm", torchaudio});

  FrontendOptions keras;
  keras.sample_rate = 16000;
  keras.pad = EdgePadding::reflect;
  keras.fmin = 20;
  keras.mel_scale = MelScale::htk;
  keras.mel_norm = MelNorm::none;
  keras.filter_axis = FilterAxis::mel;
  keras.ref = 1.0;
  presets.push_back(
      {"keras", "keras.layers.MelSpectrogram: 16 kHz, 2048/512, 128 HTK mel from 20 Hz, dB with ref 1", keras});

  FrontendOptions waveform;
  waveform.kind = FeatureKind::waveform;
  waveform.log = LogScale::none;
  presets.push_back({"waveform", "the samples themselves, at 22,050 Hz", waveform});
}

// Musical key.
void add_log_frequency(std::vector<FrontendPreset>& presets) {
  FrontendOptions pitch;
  pitch.sample_rate = 44100;
  pitch.n_fft = 8192;
  pitch.hop = 8820;
  pitch.power = 1;
  pitch.mels = 0;
  pitch.bands_per_octave = 24;
  pitch.fmin = 65;
  pitch.fmax = 2100;
  pitch.log = LogScale::log1p;
  presets.push_back(
      {"log-frequency", "44.1 kHz, 5 frames a second, 24 bands an octave from 65 to 2,100 Hz, ln(1 + x)", pitch});
}

void add_key_spectrogram(std::vector<FrontendPreset>& presets) {
  FrontendOptions picture;
  picture.kind = FeatureKind::key_spectrogram;
  picture.n_fft = 8192;
  picture.hop = 4096;
  picture.mels = 0;
  picture.fmax = 2100;
  presets.push_back(
      {"key-spectrogram", "a whole file as a picture of 87 x 87, read back grey, 88 x 88, 0 … 255", picture});
}

std::vector<FrontendPreset> make_presets() {
  std::vector<FrontendPreset> presets;
  add_librosa(presets);
  add_published(presets);
  add_frameworks(presets);
  add_log_frequency(presets);
  add_key_spectrogram(presets);
  return presets;
}

}  // namespace

void validate(const FrontendOptions& options) {
  check_transform(options);
  check_filters(options);
  check_scale(options);
  if (options.kind == FeatureKind::waveform) check_waveform(options);
  if (options.kind == FeatureKind::key_spectrogram) check_key_spectrogram(options);
}

const std::vector<FrontendPreset>& frontend_presets() {
  static const std::vector<FrontendPreset> presets = make_presets();
  return presets;
}

const FrontendPreset& find_preset(const std::string& name) {
  std::string known;
  for (const FrontendPreset& preset : frontend_presets()) {
    if (preset.name == name) return preset;
    known += (known.empty() ? "" : ", ") + preset.name;
  }
  fail("frontend.preset: unknown preset '{}'; there is {}", name, known);
}

}  // namespace melgrad
