// Reference of max pooling: the definition, as loops. See kernels/max_pool2d.h.
#pragma once

#include <algorithm>
#include <limits>

#include "kernels/max_pool2d.h"
#include "kernels/max_pool2d_formulas.h"
#include "kernels/reference/pool2d.h"

namespace melgrad::reference {

template <class T>
void max_pool2d_forward(const Pool2dProblem& problem, ConstView x, View y, View argmax) {
  for_each_output(problem, [&](int64_t output, int64_t sample, int64_t i, int64_t j, int64_t channel) {
    T best = -std::numeric_limits<T>::infinity();
    int64_t winner = -1;
    for_each_tap(problem, sample, i, j, channel, [&](int64_t tap, int64_t input) {
      const T value = x.as<T>()[input];
      if (winner >= 0 && !max_pool_takes(best, value)) return;
      best = value;
      winner = tap;
    });
    y.as<T>()[output] = best;
    argmax.as<int32_t>()[output] = static_cast<int32_t>(winner);
  });
}

template <class T>
void max_pool2d_backward(const Pool2dProblem& problem, ConstView dy, ConstView argmax, View dx) {
  T* result = dx.as<T>();
  std::fill_n(result, dx.numel(), T{0});
  for_each_output(problem, [&](int64_t output, int64_t sample, int64_t i, int64_t j, int64_t channel) {
    for_each_tap(problem, sample, i, j, channel, [&](int64_t tap, int64_t input) {
      if (tap == argmax.as<int32_t>()[output]) result[input] += dy.as<T>()[output];
    });
  });
}

}  // namespace melgrad::reference
