// Reference of average pooling: the definition, as loops. See kernels/avg_pool2d.h.
#pragma once

#include <algorithm>

#include "kernels/avg_pool2d.h"
#include "kernels/reference/pool2d.h"

namespace melgrad::reference {

// What the window of an output is divided by; at least 1.
inline int64_t average_count(const Pool2dProblem& problem, AverageOver over, int64_t i, int64_t j) {
  if (over == AverageOver::window) return problem.rows.size * problem.columns.size;
  int64_t count = 0;
  for_each_tap(problem, 0, i, j, 0, [&](int64_t, int64_t) { ++count; });
  return std::max<int64_t>(1, count);
}

template <class T>
void avg_pool2d_forward(const Pool2dProblem& problem, AverageOver over, ConstView x, View y) {
  for_each_output(problem, [&](int64_t output, int64_t sample, int64_t i, int64_t j, int64_t channel) {
    T sum{0};
    for_each_tap(problem, sample, i, j, channel, [&](int64_t, int64_t input) { sum += x.as<T>()[input]; });
    y.as<T>()[output] = sum / static_cast<T>(average_count(problem, over, i, j));
  });
}

template <class T>
void avg_pool2d_backward(const Pool2dProblem& problem, AverageOver over, ConstView dy, View dx) {
  T* result = dx.as<T>();
  std::fill_n(result, dx.numel(), T{0});
  for_each_output(problem, [&](int64_t output, int64_t sample, int64_t i, int64_t j, int64_t channel) {
    const T share = dy.as<T>()[output] / static_cast<T>(average_count(problem, over, i, j));
    for_each_tap(problem, sample, i, j, channel, [&](int64_t, int64_t input) { result[input] += share; });
  });
}

}  // namespace melgrad::reference
