// Reference of max pooling: the definition, as loops. See kernels/max_pool2d.h.
#pragma once

#include <algorithm>
#include <limits>

#include "kernels/max_pool2d.h"
#include "kernels/max_pool2d_formulas.h"

namespace melgrad::reference {

// Calls body(tap, input) for every tap of one window that lies inside x, in order; `input` is the element it reads.
template <class Body>
void for_each_tap(const MaxPool2dProblem& p, int64_t sample, int64_t i, int64_t j, int64_t channel, const Body& body) {
  for (int64_t tap = 0; tap < p.rows.size * p.columns.size; ++tap) {
    const int64_t row = p.rows.input(i, tap / p.columns.size);
    const int64_t column = p.columns.input(j, tap % p.columns.size);
    if (row < 0 || row >= p.h || column < 0 || column >= p.w) continue;
    body(tap, ((sample * p.h + row) * p.w + column) * p.c + channel);
  }
}

template <class Body>
void for_each_output(const MaxPool2dProblem& p, const Body& body) {
  int64_t output = 0;
  for (int64_t sample = 0; sample < p.n; ++sample)
    for (int64_t i = 0; i < p.h_out(); ++i)
      for (int64_t j = 0; j < p.w_out(); ++j)
        for (int64_t channel = 0; channel < p.c; ++channel) body(output++, sample, i, j, channel);
}

template <class T>
void max_pool2d_forward(const MaxPool2dProblem& problem, ConstView x, View y, View argmax) {
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
void max_pool2d_backward(const MaxPool2dProblem& problem, ConstView dy, ConstView argmax, View dx) {
  T* result = dx.as<T>();
  std::fill_n(result, dx.numel(), T{0});
  for_each_output(problem, [&](int64_t output, int64_t sample, int64_t i, int64_t j, int64_t channel) {
    for_each_tap(problem, sample, i, j, channel, [&](int64_t tap, int64_t input) {
      if (tap == argmax.as<int32_t>()[output]) result[input] += dy.as<T>()[output];
    });
  });
}

}  // namespace melgrad::reference
