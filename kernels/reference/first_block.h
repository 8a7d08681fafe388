// The definition of first_block.h: the convolution, then the block, one after the other.
#pragma once

#include <vector>

#include "kernels/first_block.h"
#include "kernels/reference/block.h"
#include "kernels/reference/conv2d.h"

namespace melgrad::reference {

template <class T>
std::vector<T> convolved(const Conv2dProblem& p, ConstView x, ConstView weight) {
  std::vector<T> y(static_cast<std::size_t>(p.y_shape().numel()));
  conv2d_forward<T>(p, x, weight, {y.data(), p.y_shape(), dtype_of<T>});
  return y;
}

// m[k] and C[k, l] of the patches, taken around their mean.
template <class T>
void first_block_moments(const Conv2dProblem& p, ConstView x, double* moments) {
  const int64_t taps = p.taps(), positions = p.n * p.h_out() * p.w_out();
  const auto element = [&](int64_t position, int64_t tap) {
    const int64_t row = p.rows.input(position / p.w_out() % p.h_out(), tap / p.columns.size);
    const int64_t column = p.columns.input(position % p.w_out(), tap % p.columns.size);
    if (row < 0 || row >= p.h || column < 0 || column >= p.w) return 0.0;
    return static_cast<double>(x.as<T>()[(position / (p.w_out() * p.h_out()) * p.h + row) * p.w + column]);
  };
  double *mean = moments, *covariance = moments + taps;
  for (int64_t k = 0; k < taps; ++k) {
    mean[k] = 0;
    for (int64_t i = 0; i < positions; ++i) mean[k] += element(i, k) / static_cast<double>(positions);
  }
  for (int64_t k = 0; k < taps; ++k)
    for (int64_t l = 0; l < taps; ++l) {
      double sum = 0;
      for (int64_t i = 0; i < positions; ++i) sum += (element(i, k) - mean[k]) * (element(i, l) - mean[l]);
      covariance[k * taps + l] = sum / static_cast<double>(positions);
    }
}

template <class T>
void first_block_statistics(const BlockProblem& problem, ConstView x, ConstView weight, View mean, View variance,
                            View moments) {
  const std::vector<T> y = convolved<T>(problem.conv, x, weight);
  block_statistics(problem, y.data(), mean.as<T>(), variance.as<T>());
  first_block_moments<T>(problem.conv, x, moments.as<double>());
}

template <class T>
void first_block_forward(const BlockProblem& problem, ConstView x, ConstView weight, ConstView gamma, ConstView beta,
                         ConstView mean, ConstView variance, View z) {
  const std::vector<T> y = convolved<T>(problem.conv, x, weight);
  block_normalise(problem, y.data(), gamma.as<T>(), beta.as<T>(), mean.as<T>(), variance.as<T>(), z.as<T>());
}

template <class T>
void first_block_backward(const BlockProblem& problem, ConstView x, ConstView weight, ConstView gamma, ConstView beta,
                          ConstView mean, ConstView variance, ConstView dz, View dx, View dweight, View dgamma,
                          View dbeta) {
  const std::vector<T> y = convolved<T>(problem.conv, x, weight);
  std::vector<T> dy(y.size());
  block_backward(problem, y.data(), gamma.as<T>(), beta.as<T>(), mean.as<T>(), variance.as<T>(), dz.as<T>(), dy.data(),
                 dgamma.as<T>(), dbeta.as<T>());
  const ConstView gradient{dy.data(), problem.conv.y_shape(), dtype_of<T>};
  conv2d_backward_weight<T>(problem.conv, gradient, x, dweight);
  if (dx.data != nullptr) conv2d_backward_data<T>(problem.conv, gradient, weight, dx);
}

}  // namespace melgrad::reference
