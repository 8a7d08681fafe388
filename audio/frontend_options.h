// The [frontend] keys: every parameter that decides what features a signal gives.
//
// Features that differ by a hair from those a model was trained on fail silently, so this struct is saved with every
// run and feature file and compared before use. The names and meanings are librosa's where it has one:
// https://librosa.org/doc/0.11.0/generated/librosa.feature.melspectrogram.html
//
// Which part of a file is analysed is not said here but by the [data] keys duration, crop and short: the frontend sees a
// signal, whole. Some published systems fix that part too; their presets bring it as PresetClip, below. The one cut that
// belongs to the frontend is `frames`, since it is made after the transform.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audio/data_options.h"
#include "audio/number_or.h"

namespace melgrad {

enum class FeatureKind : uint8_t { spectrum, waveform, key_spectrogram };
enum class WindowShape : uint8_t { hann, hann_symmetric, hamming, blackman, rectangular };
enum class EdgePadding : uint8_t { zero, reflect };
enum class MelScale : uint8_t { slaney, htk };
enum class MelNorm : uint8_t { slaney, none };
enum class FilterAxis : uint8_t { hz, mel };
enum class LogScale : uint8_t { none, db, log10p, log1p, ln };
enum class Normalise : uint8_t { none, frame_minmax };

template <>
inline constexpr EnumNames<FeatureKind, 3> enum_names<FeatureKind>{{{FeatureKind::spectrum, "spectrum"},
                                                                    {FeatureKind::waveform, "waveform"},
                                                                    {FeatureKind::key_spectrogram, "key-spectrogram"}}};
template <>
inline constexpr EnumNames<WindowShape, 5> enum_names<WindowShape>{{{WindowShape::hann, "hann"},
                                                                    {WindowShape::hann_symmetric, "hann-symmetric"},
                                                                    {WindowShape::hamming, "hamming"},
                                                                    {WindowShape::blackman, "blackman"},
                                                                    {WindowShape::rectangular, "rectangular"}}};
template <>
inline constexpr EnumNames<EdgePadding, 2> enum_names<EdgePadding>{
    {{EdgePadding::zero, "zero"}, {EdgePadding::reflect, "reflect"}}};
template <>
inline constexpr EnumNames<MelScale, 2> enum_names<MelScale>{{{MelScale::slaney, "slaney"}, {MelScale::htk, "htk"}}};
template <>
inline constexpr EnumNames<MelNorm, 2> enum_names<MelNorm>{{{MelNorm::slaney, "slaney"}, {MelNorm::none, "none"}}};
template <>
inline constexpr EnumNames<FilterAxis, 2> enum_names<FilterAxis>{{{FilterAxis::hz, "hz"}, {FilterAxis::mel, "mel"}}};
template <>
inline constexpr EnumNames<LogScale, 5> enum_names<LogScale>{{{LogScale::none, "none"},
                                                              {LogScale::db, "db"},
                                                              {LogScale::log10p, "log10p"},
                                                              {LogScale::log1p, "log1p"},
                                                              {LogScale::ln, "ln"}}};
template <>
inline constexpr EnumNames<Normalise, 2> enum_names<Normalise>{
    {{Normalise::none, "none"}, {Normalise::frame_minmax, "frame-minmax"}}};

struct Nyquist {
  static constexpr std::string_view text = "nyquist";
};
struct Maximum {
  static constexpr std::string_view text = "max";
};
struct NoLimit {
  static constexpr std::string_view text = "none";
};

// The defaults are librosa's: 0.9 and later.
struct FrontendOptions {
  // spectrum: all that follows. waveform: the samples themselves, (samples, 1), of which `frames` may keep the first; no
  // other key but sample_rate matters. key-spectrogram: the whole signal as a picture, see audio/key_spectrogram.h.
  FeatureKind kind = FeatureKind::spectrum;
  int64_t sample_rate = 22050;  // Hz; audio of another rate is resampled

  // Short-time Fourier transform.
  int64_t n_fft = 2048;                    // samples in a frame; any number
  int64_t hop = 512;                       // samples from frame to frame
  WindowShape window = WindowShape::hann;  // periodic, as all but hann-symmetric (numpy.hanning) are
  bool center = true;  // frame t is centred at sample t · hop, with n_fft / 2 samples of padding at both ends
  EdgePadding pad = EdgePadding::zero;  // reflect: repeated, as NumPy does, for signals shorter than the padding
  double power = 2;                     // of the magnitude

  // Filters: mels of them, spaced evenly on the mel scale; or, with bands_per_octave > 0 and mels = 0, spaced evenly in
  // pitch (audio/mel.h); or none, the spectrum itself, with both 0.
  int64_t mels = 128;
  double fmin = 0;         // Hz
  NumberOr<Nyquist> fmax;  // Hz
  MelScale mel_scale = MelScale::slaney;
  MelNorm mel_norm = MelNorm::slaney;       // area 1 (for filters even in pitch: weights that sum to 1), or peak 1
  FilterAxis filter_axis = FilterAxis::hz;  // on which the sides of the triangles are straight: mel is Keras's
  double mel_power = 1;                     // the filters' outputs are raised to it
  int64_t bands_per_octave = 0;

  // Logarithm. db: 10 log10(max(amin, x) / max(amin, ref)), then at most top_db below the largest of the whole signal;
  // log10p: log10(1 + log_scale · x); log1p: the same with ln; ln: ln(max(amin, x)).
  LogScale log = LogScale::db;
  double log_scale = 1;
  NumberOr<Maximum> ref;  // max: the largest of the whole signal
  double amin = 1e-10;
  NumberOr<NoLimit> top_db = 80;

  int64_t mfcc = 0;    // coefficients kept of the orthonormal DCT-II of a frame's bands; 0: the bands themselves
  int64_t frames = 0;  // the signal's first so many frames only, taken before the logarithm; 0: all
  Normalise normalise = Normalise::none;  // frame-minmax: each frame to 0 … 1 over its bins

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("kind", self.kind);
    field("sample_rate", self.sample_rate);
    field("n_fft", self.n_fft);
    field("hop", self.hop);
    field("window", self.window);
    field("center", self.center);
    field("pad", self.pad);
    field("power", self.power);
    field("mels", self.mels);
    field("fmin", self.fmin);
    field("fmax", self.fmax);
    field("mel_scale", self.mel_scale);
    field("mel_norm", self.mel_norm);
    field("filter_axis", self.filter_axis);
    field("mel_power", self.mel_power);
    field("bands_per_octave", self.bands_per_octave);
    field("log", self.log);
    field("log_scale", self.log_scale);
    field("ref", self.ref);
    field("amin", self.amin);
    field("top_db", self.top_db);
    field("mfcc", self.mfcc);
    field("frames", self.frames);
    field("normalise", self.normalise);
  }
  bool operator==(const FrontendOptions&) const = default;

  double fmax_hz() const { return fmax.value_or(static_cast<double>(sample_rate) / 2); }
};

// Throws Error naming the key for values that make no sense, or that this version cannot compute.
void validate(const FrontendOptions& options);

// What a published system takes of each file: with the preset's name, a recipe's [data] section and `melgrad features`
// get these values for the keys of the same names, and whatever they say themselves stands over it.
struct PresetClip {
  double duration;  // seconds
  CropPosition crop;
  ShortClips short_clips;
};

inline void apply_clip(const PresetClip& clip, DataOptions& options) {
  options.duration = clip.duration;
  options.crop = clip.crop;
  options.short_clips = clip.short_clips;
}

struct FrontendPreset {
  std::string name;
  std::string description;  // one line
  FrontendOptions options;
  std::optional<PresetClip> clip{};  // nothing: whole files, or what [data] says
};

const std::vector<FrontendPreset>& frontend_presets();
// Throws Error listing the presets for a name that is not among them.
const FrontendPreset& find_preset(const std::string& name);
inline const FrontendOptions& frontend_preset(const std::string& name) {
  return find_preset(name).options;
}

}  // namespace melgrad
