#include "audio/augment.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "audio/resample.h"
#include "kernels/error.h"

namespace melgrad {

void validate(const AugmentOptions& o) {
  require(o.gain_db >= 0 && o.gain_db <= 60, "augment.gain_db: {} is not in 0 … 60", o.gain_db);
  require(std::abs(o.noise_snr_db.value_or(0)) <= 120, "augment.noise_snr_db: {} is not in -120 … 120",
          o.noise_snr_db.value_or(0));
  require(o.pitch_down >= 0 && o.pitch_down <= 24, "augment.pitch_down: {} is not in 0 … 24", o.pitch_down);
  require(o.pitch_up >= 0 && o.pitch_up <= 24, "augment.pitch_up: {} is not in 0 … 24", o.pitch_up);
  for (const auto& [key, value] : {std::pair("time_masks", o.time_masks), std::pair("time_width", o.time_width),
                                   std::pair("band_masks", o.band_masks), std::pair("band_width", o.band_width)})
    require(value >= 0 && value <= 1'000'000, "augment.{}: {} is not in 0 … 1000000", key, value);
  require(o.mixup >= 0 && o.mixup <= 4, "augment.mixup: {} is not in 0 … 4", o.mixup);
}

void change_gain(std::span<float> samples, double db) {
  const auto factor = static_cast<float>(std::pow(10.0, db / 20));
  for (float& sample : samples) sample *= factor;
}

void add_noise(std::span<float> samples, double snr_db, const Philox& noise) {
  const double power = std::accumulate(samples.begin(), samples.end(), 0.0, [](double sum, float x) {
    return sum + static_cast<double>(x) * static_cast<double>(x);
  });
  if (samples.empty() || power == 0) return;
  const auto sigma =
      static_cast<float>(std::sqrt(power / static_cast<double>(samples.size())) * std::pow(10.0, -snr_db / 20));
  for (std::size_t i = 0; i < samples.size(); i += 4) {  // Box and Muller 1958: two pairs from four words
    const Philox4 words = noise.block(static_cast<uint32_t>(i / 4));
    for (std::size_t pair = 0; pair < 4; pair += 2) {
      const float radius =
          sigma * std::sqrt(-2.0F * std::log((static_cast<float>(words.word[pair] >> 8) + 1) * 0x1p-24F));
      const float angle = 2 * std::numbers::pi_v<float> * uniform_from(words.word[pair + 1]);
      if (i + pair < samples.size()) samples[i + pair] += radius * std::cos(angle);
      if (i + pair + 1 < samples.size()) samples[i + pair + 1] += radius * std::sin(angle);
    }
  }
}

namespace {

double speed_of(int64_t semitones) {
  return std::exp2(static_cast<double>(semitones) / 12);
}

}  // namespace

int64_t source_length(int64_t length, int64_t semitones) {
  return semitones == 0 ? length : std::llround(static_cast<double>(length) * speed_of(semitones));
}

std::vector<float> change_pitch(std::span<const float> samples, int64_t semitones, int64_t length) {
  if (semitones == 0) return {samples.begin(), samples.begin() + length};
  constexpr int64_t rate = 1'000'000;  // any: only the ratio counts
  std::vector<float> shifted = resample(samples, std::llround(rate * speed_of(semitones)), rate);
  shifted.resize(static_cast<std::size_t>(length));  // rounding makes it one longer or shorter at most
  return shifted;
}

void mask_features(std::span<float> features, int64_t frames, int64_t bins, const AugmentOptions& options,
                   Generator& random) {
  const double sum = std::accumulate(features.begin(), features.end(), 0.0);
  const auto mean = static_cast<float>(sum / static_cast<double>(features.size()));
  // Frames [begin, end) × bins [low, high).
  const auto fill = [&](int64_t begin, int64_t end, int64_t low, int64_t high) {
    for (int64_t frame = begin; frame < end; ++frame)
      std::fill_n(features.begin() + frame * bins + low, high - low, mean);
  };
  // A stretch of 0 … width places among n.
  const auto draw = [&](int64_t width, int64_t n) {
    const int64_t size = std::min<int64_t>(n, random.below(static_cast<uint32_t>(width + 1)));
    const int64_t begin = random.below(static_cast<uint32_t>(n - size + 1));
    return std::pair{begin, begin + size};
  };
  for (int64_t mask = 0; mask < options.time_masks; ++mask) {
    const auto [begin, end] = draw(options.time_width, frames);
    fill(begin, end, 0, bins);
  }
  for (int64_t mask = 0; mask < options.band_masks; ++mask) {
    const auto [low, high] = draw(options.band_width, bins);
    fill(0, frames, low, high);
  }
}

int32_t shifted_key(int32_t label, int64_t semitones) {
  return static_cast<int32_t>(((label + 2 * semitones) % 24 + 24) % 24);
}

double draw_beta(double alpha, Generator& random) {
  for (;;) {
    const double x = std::pow((random.next() + 0.5) * 0x1p-32, 1 / alpha);
    const double y = std::pow((random.next() + 0.5) * 0x1p-32, 1 / alpha);
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

}  // namespace melgrad
