#include "audio/frontend.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "audio/key_spectrogram.h"
#include "audio/mel.h"
#include "kernels/error.h"
#include "kernels/thread_pool.h"

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

void normalise_frames(Features& features) {
  for (int64_t frame = 0; frame < features.frames; ++frame) {
    const auto begin = features.values.begin() + frame * features.bins;
    const auto [lowest, highest] = std::minmax_element(begin, begin + features.bins);
    const float low = *lowest, range = *highest - *lowest;
    for (auto value = begin; value != begin + features.bins; ++value) *value = range > 0 ? (*value - low) / range : 0;
  }
}

// The frontend's logarithm as kernels/spectral_bands.h writes it. Decibels below the largest are taken off later, when it
// is known.
std::optional<BandLogarithm> band_logarithm(const FrontendOptions& options) {
  BandLogarithm logarithm;
  logarithm.floor = static_cast<float>(options.amin);
  switch (options.log) {
    case LogScale::none:
      return {};
    case LogScale::db:
      logarithm.factor = static_cast<float>(10 / std::numbers::ln10);
      if (!options.ref.is_word())
        logarithm.shift = static_cast<float>(-10 * std::log10(std::max(options.amin, options.ref.value_or(1))));
      return logarithm;
    case LogScale::ln:
      return logarithm;
    case LogScale::log10p:
      logarithm.factor = static_cast<float>(1 / std::numbers::ln10);
      [[fallthrough]];
    case LogScale::log1p:
      logarithm.gain = static_cast<float>(options.log_scale);
      logarithm.offset = 1;
      logarithm.floor = 1;
      return logarithm;
  }
  return {};
}

}  // namespace

Frontend::Frontend(FrontendOptions options) : options_(std::move(options)) {
  validate(options_);
  bands_ = band_count(options_);
  if (options_.kind == FeatureKind::waveform) return;
  make_plan();
  logarithm_ = band_logarithm(options_);
  if (options_.mfcc > 0) dct_.emplace(bands(), options_.mfcc);
}

void Frontend::make_plan() {
  SpectralBandsOptions plan{.window = make_window(options_.window, options_.n_fft),
                            .hop = options_.hop,
                            .padding = -frame_start(0),
                            .extension = options_.pad == EdgePadding::reflect ? Extension::reflect : Extension::zero,
                            .power = options_.power,
                            .filters = {},
                            .exponent = 1};
  if (options_.mels > 0) plan.filters = mel_filters(options_);
  if (options_.kind == FeatureKind::key_spectrogram) plan.filters = key_bands(options_);
  if (options_.bands_per_octave > 0) plan.filters = pitch_filters(options_);
  if (plan.filters) plan.exponent = options_.mel_power;
  spectral_bands_.emplace(std::move(plan));
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

void Frontend::compute_bands(const SignalPart& part, int64_t begin, int64_t end, std::span<float> values) const {
  require(static_cast<int64_t>(values.size()) == (end - begin) * bands_,
          "frontend: {} values for {} frames of {} bands", values.size(), end - begin, bands_);
  transform(part, begin, end, nullptr, values);
}

Cost Frontend::cost(int64_t frames) const {
  Cost cost = spectral_bands_ ? spectral_bands_->cost(frames) : Cost{};
  if (dct_) cost.flops += frames * dct_->cost().flops;
  return cost;
}

BandRange Frontend::transform(const SignalPart& part, int64_t begin, int64_t end, const BandLogarithm* logarithm,
                              std::span<float> values) const {
  BandRange range;
  if (spectral_bands_) {
    range = spectral_bands_->compute(thread_pool(), part, begin, end, logarithm, values.data());
  } else {
    const auto samples = part.samples.subspan(static_cast<std::size_t>(begin - part.first), values.size());
    std::ranges::copy(samples, values.begin());
    range.finite = std::ranges::all_of(samples, [](float value) { return std::isfinite(value); });
  }
  require(range.finite, "samples that are not finite, or too large for their power to be");
  return range;
}

bool Frontend::needs_largest() const {
  return options_.log == LogScale::db && (options_.ref.is_word() || !options_.top_db.is_word());
}

float Frontend::decibels(float power) const {
  apply_logarithm(*logarithm_, std::span(&power, 1));
  return power;
}

// What librosa.power_to_db does once the largest power is known: ref = max, and top_db.
void Frontend::limit(std::span<float> values, float largest, bool below_floor) const {
  if (!needs_largest()) return;
  const float highest = decibels(largest), reference = options_.ref.is_word() ? highest : 0;
  const auto range = static_cast<float>(options_.top_db.value_or(HUGE_VAL));
  const float floor = highest - reference - range;
  if (!options_.ref.is_word() && !below_floor) return;
  for (float& value : values) value = std::max(floor, value - reference);
}

void Frontend::finish_logarithms(Features& features, float largest, bool below_floor) const {
  Features result{.frames = features.frames, .bins = bins(), .values = {}};
  if (dct_) result.values.resize(static_cast<std::size_t>(result.frames * result.bins));
  constexpr int64_t frames_a_chunk = 64;
  parallel_for(thread_pool(), features.frames, frames_a_chunk, [&](int64_t begin, int64_t end) {
    const auto rows =
        std::span(features.values)
            .subspan(static_cast<std::size_t>(begin * bands_), static_cast<std::size_t>((end - begin) * bands_));
    limit(rows, largest, below_floor);
    if (dct_) dct_->apply_rows(rows.data(), end - begin, result.values.data() + begin * result.bins);
  });
  if (dct_) features = std::move(result);
  if (options_.normalise == Normalise::frame_minmax) normalise_frames(features);
}

void Frontend::finish(Features& bands, float largest) const {
  if (options_.kind == FeatureKind::key_spectrogram) {
    bands = {key_input_side, key_input_side, read_grey(draw_key_spectrogram(bands.values, options_))};
    return;
  }
  if (logarithm_) apply_logarithm(*logarithm_, bands.values);
  finish_logarithms(bands, largest, true);
}

std::string Frontend::too_short(int64_t samples) const {
  return fmt::format("too short: {} samples at {} Hz do not give {}", samples, options_.sample_rate,
                     options_.frames > 0 ? fmt::format("{} frames", options_.frames) : "a frame");
}

Features Frontend::compute(std::span<const float> samples) const {
  const auto length = static_cast<int64_t>(samples.size());
  Features features{.frames = band_frames_for(length), .bins = bands_, .values = {}};
  if (features.frames == 0) fail("{}", too_short(length));
  features.values.resize(static_cast<std::size_t>(features.frames * bands_));
  if (options_.kind == FeatureKind::key_spectrogram) {
    compute_bands({samples, 0, length}, 0, features.frames, features.values);
    finish(features, 0);
    return features;
  }
  const BandRange range =
      transform({samples, 0, length}, 0, features.frames, logarithm_ ? &*logarithm_ : nullptr, features.values);
  const bool below_floor =
      options_.log == LogScale::db &&
      decibels(range.lowest) < decibels(range.highest) - static_cast<float>(options_.top_db.value_or(HUGE_VAL));
  finish_logarithms(features, range.highest, below_floor);
  return features;
}

}  // namespace melgrad
