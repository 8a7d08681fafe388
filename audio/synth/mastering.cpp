#include "audio/synth/mastering.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/error.h"
#include "kernels/philox.h"

namespace melgrad {
namespace {

// A second-order filter in transposed direct form II, in double: a shelf at 200 Hz has poles close to the unit circle.
struct Biquad {
  double b0 = 1, b1 = 0, b2 = 0, a1 = 0, a2 = 0;

  void apply(std::span<float> samples) const {
    double s1 = 0, s2 = 0;
    for (float& sample : samples) {
      const double x = sample;
      const double y = b0 * x + s1;
      s1 = b1 * x - a1 * y + s2;
      s2 = b2 * x - a2 * y;
      sample = static_cast<float>(y);
    }
  }
};

double radians_per_sample(double hz, int64_t sample_rate) {
  require(hz > 0 && 2 * hz < static_cast<double>(sample_rate),
          "master: a filter at {} Hz needs a sample rate above {} Hz, got {}", hz, 2 * hz, sample_rate);
  return 2 * std::numbers::pi * hz / static_cast<double>(sample_rate);
}

// A shelf of slope 1: the steepest without overshoot. High when `sign` is +1, low when -1.
Biquad shelf(double db, double hz, int64_t sample_rate, double sign) {
  const double a = std::pow(10.0, db / 40);
  const double w = radians_per_sample(hz, sample_rate);
  const double cosine = std::cos(w);
  const double alpha = std::sqrt(2 * a) * std::sin(w);  // 2 * sqrt(A) * alpha of the cookbook
  const double a0 = (a + 1) - sign * (a - 1) * cosine + alpha;
  return {.b0 = a * ((a + 1) + sign * (a - 1) * cosine + alpha) / a0,
          .b1 = -sign * 2 * a * ((a - 1) + sign * (a + 1) * cosine) / a0,
          .b2 = a * ((a + 1) + sign * (a - 1) * cosine - alpha) / a0,
          .a1 = sign * 2 * ((a - 1) - sign * (a + 1) * cosine) / a0,
          .a2 = ((a + 1) - sign * (a - 1) * cosine - alpha) / a0};
}

Biquad bell(double db, double hz, int64_t sample_rate) {
  constexpr double kQ = 1.41;  // one octave
  const double a = std::pow(10.0, db / 40);
  const double w = radians_per_sample(hz, sample_rate);
  const double alpha = std::sin(w) / (2 * kQ);
  const double a0 = 1 + alpha / a;
  return {.b0 = (1 + alpha * a) / a0,
          .b1 = -2 * std::cos(w) / a0,
          .b2 = (1 - alpha * a) / a0,
          .a1 = -2 * std::cos(w) / a0,
          .a2 = (1 - alpha / a) / a0};
}

double amplitude(double db) {
  return std::pow(10.0, db / 20);
}

}  // namespace

void master(const Mastering& mastering, int64_t sample_rate, std::span<float> samples) {
  shelf(mastering.low_shelf_db, mastering.low_shelf_hz, sample_rate, -1).apply(samples);
  for (const Mastering::Bell& one : mastering.bells) bell(one.db, one.hz, sample_rate).apply(samples);
  shelf(mastering.high_shelf_db, mastering.high_shelf_hz, sample_rate, +1).apply(samples);

  float peak = 0;
  for (const float sample : samples) peak = std::max(peak, std::abs(sample));
  const double gain = peak > 0 ? amplitude(mastering.peak_db) / peak : 0;
  // Uniform noise of RMS r reaches r * sqrt(3). Philox words are drawn four at a time: a clip has 600 thousand samples.
  const double noise = amplitude(mastering.noise_db) * std::sqrt(3.0) * 2;
  const Philox philox{mastering.noise_seed, Draw::synth, 0, 1};
  for (std::size_t i = 0; i < samples.size(); i += 4) {
    const Philox4 words = philox.block(static_cast<uint32_t>(i / 4));
    for (std::size_t j = i; j < std::min(i + 4, samples.size()); ++j)
      samples[j] = static_cast<float>(gain * samples[j] + noise * (uniform_from(words.word[j - i]) - 0.5));
  }
}

}  // namespace melgrad
