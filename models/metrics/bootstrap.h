// Confidence intervals by the bootstrap: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13, the
// percentile interval.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace melgrad {

struct Interval {
  double low = 0, high = 0;
};

struct BootstrapOptions {
  int64_t resamples = 1000;
  double level = 0.95;
  uint64_t seed = 0;
};

// Measures of a set of clips in which clip i occurs weights[i] times. It may be called from several threads at once.
using WeightedMeasures = std::function<std::vector<double>(std::span<const int32_t> weights)>;

// An interval for each measure: clips are drawn with replacement, as many as there are, again and again. A measure that
// is NaN for some draws is left out of them; NaN in all gives NaN. The same for any number of threads.
std::vector<Interval> bootstrap(int64_t clips, const WeightedMeasures& measures, const BootstrapOptions& options = {});

// Of the mean of one number a clip, such as 1 where it was right.
Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options = {});

}  // namespace melgrad
