#include "models/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/error.h"
#include "kernels/philox.h"
#include "kernels/thread_pool.h"

namespace melgrad {
namespace {

// As NumPy's quantile: linear between neighbours.
double quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

std::vector<Interval> bootstrap(int64_t clips, const WeightedMeasures& measures, const BootstrapOptions& options) {
  require(clips >= 1 && options.resamples >= 1 && options.level > 0 && options.level < 1,
          "bootstrap: {} clips, {} resamples, level {}", clips, options.resamples, options.level);
  std::vector<std::vector<double>> draws(static_cast<std::size_t>(options.resamples));
  thread_pool().run(options.resamples, [&](int64_t i) {
    // The order of an epoch's samples is (seed, shuffle, epoch, 0); the second index keeps away from it.
    Generator random(options.seed, Draw::shuffle, 0, static_cast<uint32_t>(i) + 1);
    std::vector<int32_t> weights(static_cast<std::size_t>(clips));
    for (int64_t drawn = 0; drawn < clips; ++drawn) ++weights[random.below(static_cast<uint32_t>(clips))];
    draws[static_cast<std::size_t>(i)] = measures(weights);
  });
  std::vector<Interval> intervals;
  for (std::size_t measure = 0; measure < draws.front().size(); ++measure) {
    std::vector<double> values;
    for (const std::vector<double>& draw : draws)
      if (!std::isnan(draw[measure])) values.push_back(draw[measure]);
    std::sort(values.begin(), values.end());
    const double tail = (1 - options.level) / 2;
    intervals.push_back({quantile(values, tail), quantile(values, 1 - tail)});
  }
  return intervals;
}

Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options) {
  const auto weighted_mean = [&](std::span<const int32_t> weights) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += values[i] * weights[i];
    return std::vector<double>{sum / static_cast<double>(values.size())};
  };
  return bootstrap(static_cast<int64_t>(values.size()), weighted_mean, options).front();
}

}  // namespace melgrad
