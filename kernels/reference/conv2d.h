// Reference of the convolution: the definition, as loops. See kernels/conv2d.h.
#pragma once

#include <algorithm>

#include "kernels/conv2d.h"

namespace melgrad::reference {

// Calls body(x_index, weight_index, y_index) for every product of the definition. The three directions differ only in
// which of the three is summed into.
template <class Body>
void for_each_product(const Conv2dProblem& p, const Body& body) {
  for (int64_t n = 0; n < p.n; ++n)
    for (int64_t i = 0; i < p.h_out(); ++i)
      for (int64_t j = 0; j < p.w_out(); ++j)
        for (int64_t tap_row = 0; tap_row < p.rows.size; ++tap_row)
          for (int64_t tap_column = 0; tap_column < p.columns.size; ++tap_column) {
            const int64_t row = p.rows.input(i, tap_row), column = p.columns.input(j, tap_column);
            if (row < 0 || row >= p.h || column < 0 || column >= p.w) continue;  // padding is zero
            const int64_t x = ((n * p.h + row) * p.w + column) * p.c;
            const int64_t weight = (tap_row * p.columns.size + tap_column) * p.group_c() * p.o;
            const int64_t y = ((n * p.h_out() + i) * p.w_out() + j) * p.o;
            for (int64_t o = 0; o < p.o; ++o) {
              const int64_t group = o / p.group_o();
              for (int64_t c = 0; c < p.group_c(); ++c) body(x + group * p.group_c() + c, weight + c * p.o + o, y + o);
            }
          }
}

template <class T>
void conv2d_forward(const Conv2dProblem& problem, ConstView x, ConstView weight, View y) {
  const T* in = x.as<T>();
  const T* w = weight.as<T>();
  T* out = y.as<T>();
  std::fill_n(out, y.numel(), T{0});
  for_each_product(problem, [&](int64_t xi, int64_t wi, int64_t yi) { out[yi] += in[xi] * w[wi]; });
}

template <class T>
void conv2d_backward_data(const Conv2dProblem& problem, ConstView dy, ConstView weight, View dx) {
  const T* gradient = dy.as<T>();
  const T* w = weight.as<T>();
  T* out = dx.as<T>();
  std::fill_n(out, dx.numel(), T{0});
  for_each_product(problem, [&](int64_t xi, int64_t wi, int64_t yi) { out[xi] += gradient[yi] * w[wi]; });
}

template <class T>
void conv2d_backward_weight(const Conv2dProblem& problem, ConstView dy, ConstView x, View dweight) {
  const T* gradient = dy.as<T>();
  const T* in = x.as<T>();
  T* out = dweight.as<T>();
  std::fill_n(out, dweight.numel(), T{0});
  for_each_product(problem, [&](int64_t xi, int64_t wi, int64_t yi) { out[wi] += gradient[yi] * in[xi]; });
}

}  // namespace melgrad::reference
