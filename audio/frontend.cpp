#include "audio/frontend.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "audio/key_spectrogram.h"
#include "audio/mel.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

// A sum of cosines (Harris 1978), in the periodic form, whose next sample would be the first again, or the symmetric one.
std::vector<float> make_window(WindowShape shape, int64_t size) {
  double a0 = 1, a1 = 0, a2 = 0;
  if (shape == WindowShape::hann || shape == WindowShape::hann_symmetric) a0 = 0.5, a1 = 0.5;
  if (shape == WindowShape::hamming) a0 = 0.54, a1 = 0.46;
  if (shape == WindowShape::blackman) a0 = 0.42, a1 = 0.5, a2 = 0.08;
  const int64_t period = shape == WindowShape::hann_symmetric ? size - 1 : size;
  std::vector<float> window;
  for (int64_t i = 0; i < size; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(period);
    window.push_back(static_cast<float>(a0 - a1 * std::cos(angle) + a2 * std::cos(2 * angle)));
  }
  return window;
}

// Where the sample at `index`, which may lie outside [0, n), is found by reflection about the first and last sample, as
// often as it takes.
int64_t reflect(int64_t index, int64_t n) {
  if (n == 1) return 0;
  const int64_t period = 2 * (n - 1);
  const int64_t position = (index % period + period) % period;
  return position < n ? position : period - position;
}

void normalise_frames(Features& features) {
  for (int64_t frame = 0; frame < features.frames; ++frame) {
    const auto begin = features.values.begin() + frame * features.bins;
    const auto [lowest, highest] = std::minmax_element(begin, begin + features.bins);
    const float low = *lowest, range = *highest - *lowest;
    for (auto value = begin; value != begin + features.bins; ++value) *value = range > 0 ? (*value - low) / range : 0;
  }
}

// x to the power of `exponent`, with the common exponents as products.
void raise(std::span<float> values, double exponent) {
  if (exponent == 1) return;
  for (float& value : values) {
    value = exponent == 2     ? value * value
            : exponent == 0.5 ? std::sqrt(value)
                              : std::pow(value, static_cast<float>(exponent));
  }
}

}  // namespace

struct Frontend::Workspace {
  std::vector<Lanes> frames;            // (n_fft): four frames, windowed
  std::vector<Complex<Lanes>> spectra;  // (n_fft / 2 + 1)
  std::vector<Complex<Lanes>> fft;
  std::vector<Lanes> powers;  // (n_fft / 2 + 1)
  std::vector<Lanes> bands;
};

Frontend::Frontend(FrontendOptions options) : options_(std::move(options)) {
  validate(options_);
  bands_ = band_count(options_);
  if (options_.kind == FeatureKind::waveform) return;
  window_ = make_window(options_.window, options_.n_fft);
  fft_ = real_fft(options_.n_fft);
  if (options_.mels > 0) filters_.emplace(mel_filters(options_));
  if (options_.kind == FeatureKind::key_spectrogram) filters_.emplace(key_bands(options_));
  if (options_.bands_per_octave > 0) filters_.emplace(pitch_filters(options_));
  if (options_.mfcc > 0) dct_.emplace(bands(), options_.mfcc);
}

int64_t Frontend::bins() const {
  if (options_.kind == FeatureKind::key_spectrogram) return key_input_side;
  return options_.mfcc > 0 ? options_.mfcc : bands_;
}

int64_t Frontend::frames_for(int64_t samples) const {
  const int64_t frames = band_frames_for(samples);
  return options_.kind == FeatureKind::key_spectrogram && frames > 0 ? key_input_side : frames;
}

int64_t Frontend::band_frames_for(int64_t samples) const {
  const int64_t past_first = samples - 2 * frame_start(0) - options_.n_fft;
  if (samples <= 0 || (options_.kind != FeatureKind::waveform && past_first < 0)) return 0;
  const int64_t frames = options_.kind == FeatureKind::waveform ? samples : 1 + past_first / options_.hop;
  if (options_.frames == 0) return frames;
  return frames < options_.frames ? 0 : options_.frames;
}

void Frontend::load_frame(const SignalPart& part, int64_t frame, int64_t lane, Workspace& workspace) const {
  const int64_t start = frame_start(frame);
  const bool inside = start >= 0 && start + options_.n_fft <= part.length;
  for (int64_t i = 0; i < options_.n_fft; ++i) {
    const int64_t index = start + i;
    float sample = 0;
    if (inside || (index >= 0 && index < part.length)) {
      sample = part.samples[static_cast<std::size_t>(index - part.first)];
    } else if (options_.pad == PadMode::reflect) {
      sample = part.samples[static_cast<std::size_t>(reflect(index, part.length) - part.first)];
    }
    workspace.frames[static_cast<std::size_t>(i)][lane] = sample * window_[static_cast<std::size_t>(i)];
  }
}

// Windowed frames to bands before the logarithm, four frames at a time.
void Frontend::transform_frames(Workspace& workspace) const {
  fft_->forward(workspace.frames.data(), workspace.spectra.data(), workspace.fft.data());
  for (std::size_t k = 0; k < workspace.powers.size(); ++k) {
    const auto [re, im] = workspace.spectra[k];
    workspace.powers[k] = re * re + im * im;
  }
  const auto as_floats = [](std::vector<Lanes>& values) {
    return std::span(reinterpret_cast<float*>(values.data()), values.size() * static_cast<std::size_t>(lane_count));
  };
  raise(as_floats(workspace.powers), options_.power / 2);
  if (!filters_) {
    workspace.bands = workspace.powers;
    return;
  }
  filters_->apply(workspace.powers.data(), workspace.bands.data());
  raise(as_floats(workspace.bands), options_.mel_power);
}

void Frontend::compute_bands(const SignalPart& part, int64_t begin, int64_t end, std::span<float> values) const {
  require(static_cast<int64_t>(values.size()) == (end - begin) * bands_,
          "frontend: {} values for {} frames of {} bands", values.size(), end - begin, bands_);
  if (options_.kind == FeatureKind::waveform) {
    std::ranges::copy(part.samples.subspan(static_cast<std::size_t>(begin - part.first), values.size()),
                      values.begin());
  } else {
    transform_all(part, begin, end, values);
  }
  // Here, because the logarithm's max(amin, x) would turn NaN into a number.
  require(std::ranges::all_of(values, [](float value) { return std::isfinite(value); }),
          "samples that are not finite, or too large for their power to be");
}

void Frontend::transform_all(const SignalPart& part, int64_t begin, int64_t end, std::span<float> values) const {
  const auto bins = static_cast<std::size_t>(fft_->bins());
  Workspace workspace{.frames = std::vector<Lanes>(static_cast<std::size_t>(options_.n_fft)),
                      .spectra = std::vector<Complex<Lanes>>(bins),
                      .fft = std::vector<Complex<Lanes>>(static_cast<std::size_t>(fft_->workspace_size())),
                      .powers = std::vector<Lanes>(bins),
                      .bands = std::vector<Lanes>(static_cast<std::size_t>(bands_))};
  float* row = values.data();
  for (int64_t first = begin; first < end; first += lane_count) {
    const int64_t lanes = std::min(lane_count, end - first);  // the others keep earlier frames
    for (int64_t lane = 0; lane < lanes; ++lane) load_frame(part, first + lane, lane, workspace);
    transform_frames(workspace);
    for (int64_t lane = 0; lane < lanes; ++lane) {
      for (const Lanes& band : workspace.bands) *row++ = band[lane];
    }
  }
}

bool Frontend::needs_largest() const {
  return options_.log == LogScale::db && (options_.ref.is_word() || !options_.top_db.is_word());
}

// librosa.power_to_db.
void Frontend::apply_db(std::vector<float>& values, float largest) const {
  const double reference = std::max(options_.amin, options_.ref.value_or(static_cast<double>(largest)));
  const auto amin = static_cast<float>(options_.amin);
  const auto reference_db = static_cast<float>(10 * std::log10(reference));
  const auto db = [&](float value) { return 10 * std::log10(std::max(amin, value)) - reference_db; };
  const float floor =
      options_.top_db.is_word() ? -HUGE_VALF : db(largest) - static_cast<float>(options_.top_db.value_or(0));
  for (float& value : values) value = std::max(floor, db(value));
}

void Frontend::apply_log(std::vector<float>& values, float largest) const {
  const auto scale = static_cast<float>(options_.log_scale);
  const auto amin = static_cast<float>(options_.amin);
  switch (options_.log) {
    case LogScale::none:
      return;
    case LogScale::db:
      return apply_db(values, largest);
    case LogScale::log10p:
      for (float& value : values) value = std::log10(1 + scale * value);
      return;
    case LogScale::log1p:
      for (float& value : values) value = std::log1p(scale * value);
      return;
    case LogScale::ln:
      for (float& value : values) value = std::log(std::max(amin, value));
      return;
  }
}

Features Frontend::apply_dct(const Features& features) const {
  Features result{.frames = features.frames, .bins = options_.mfcc, .values = {}};
  result.values.resize(static_cast<std::size_t>(result.frames * result.bins));
  for (int64_t frame = 0; frame < result.frames; ++frame) {
    dct_->apply(std::span(features.values.data() + frame * features.bins, static_cast<std::size_t>(features.bins)),
                std::span(result.values.data() + frame * result.bins, static_cast<std::size_t>(result.bins)));
  }
  return result;
}

void Frontend::finish(Features& bands, float largest) const {
  if (options_.kind == FeatureKind::key_spectrogram) {
    bands = {key_input_side, key_input_side, read_grey(draw_key_spectrogram(bands.values, options_))};
    return;
  }
  apply_log(bands.values, largest);
  if (dct_) bands = apply_dct(bands);
  if (options_.normalise == Normalise::frame_minmax) normalise_frames(bands);
}

Features Frontend::compute(std::span<const float> samples) const {
  const auto length = static_cast<int64_t>(samples.size());
  Features features{.frames = band_frames_for(length), .bins = bands_, .values = {}};
  require(features.frames > 0, "too short: {} samples at {} Hz do not give {}", length, options_.sample_rate,
          options_.frames > 0 ? fmt::format("{} frames", options_.frames) : "a frame");
  features.values.resize(static_cast<std::size_t>(features.frames * bands_));
  compute_bands({samples, 0, length}, 0, features.frames, features.values);
  finish(features, *std::ranges::max_element(features.values));
  return features;
}

}  // namespace melgrad
