// Reference of batch normalisation: the definition, as loops. See kernels/batch_norm.h.
#pragma once

#include <cmath>

#include "kernels/batch_norm.h"
#include "kernels/batch_norm_formulas.h"

namespace melgrad::reference {

inline int64_t batch_norm_rows(const ConstView& x) {
  return x.numel() == 0 ? 0 : x.numel() / x.shape[-1];
}

template <class T>
void batch_norm_infer_forward(double epsilon, ConstView x, ConstView gamma, ConstView beta, ConstView mean,
                              ConstView variance, View y) {
  const int64_t rows = batch_norm_rows(x), c = x.shape[-1];
  for (int64_t j = 0; j < c; ++j) {
    const T scale = gamma.as<T>()[j] / std::sqrt(variance.as<T>()[j] + static_cast<T>(epsilon));
    for (int64_t i = 0; i < rows; ++i)
      y.as<T>()[i * c + j] = scale * (x.as<T>()[i * c + j] - mean.as<T>()[j]) + beta.as<T>()[j];
  }
}

template <class T>
void batch_norm_train_forward(double epsilon, ConstView x, ConstView gamma, ConstView beta, View y, View mean,
                              View variance) {
  const int64_t rows = batch_norm_rows(x), c = x.shape[-1];
  for (int64_t j = 0; j < c; ++j) {
    T sum = 0, squares = 0;
    for (int64_t i = 0; i < rows; ++i) sum += x.as<T>()[i * c + j];
    const T average = sum / static_cast<T>(rows);
    for (int64_t i = 0; i < rows; ++i) squares += (x.as<T>()[i * c + j] - average) * (x.as<T>()[i * c + j] - average);
    mean.as<T>()[j] = average;
    variance.as<T>()[j] = squares / static_cast<T>(rows);
  }
  batch_norm_infer_forward<T>(epsilon, x, gamma, beta, mean, variance, y);
}

// With u = (x - mean) / sqrt(variance + epsilon):
//   dbeta = Σ dy;  dgamma = Σ dy u
//   inference: dx = gamma / sqrt(variance + epsilon) · dy
//   training:  dx = gamma / sqrt(variance + epsilon) · (dy - dbeta / rows - u · dgamma / rows)
template <class T>
void batch_norm_backward(bool training, double epsilon, ConstView x, ConstView gamma, ConstView mean,
                         ConstView variance, ConstView dy, View dx, View dgamma, View dbeta) {
  const int64_t rows = batch_norm_rows(x), c = x.shape[-1];
  for (int64_t j = 0; j < c; ++j) {
    const T inverse = 1 / std::sqrt(variance.as<T>()[j] + static_cast<T>(epsilon));
    auto u = [&](int64_t i) { return (x.as<T>()[i * c + j] - mean.as<T>()[j]) * inverse; };
    T sum = 0, product = 0;
    for (int64_t i = 0; i < rows; ++i) {
      sum += dy.as<T>()[i * c + j];
      product += dy.as<T>()[i * c + j] * u(i);
    }
    dbeta.as<T>()[j] = sum;
    dgamma.as<T>()[j] = product;
    for (int64_t i = 0; i < rows; ++i) {
      T direct = dy.as<T>()[i * c + j];
      if (training) direct -= (sum + u(i) * product) / static_cast<T>(rows);
      dx.as<T>()[i * c + j] = gamma.as<T>()[j] * inverse * direct;
    }
  }
}

template <class T>
void batch_norm_update_running(double keep, RunningVariance kind, int64_t rows, ConstView mean, ConstView variance,
                               View running_mean, View running_variance) {
  const T kept = static_cast<T>(keep);
  const T take = static_cast<T>(1 - keep);
  const T take_variance = static_cast<T>((1 - keep) * running_variance_factor(kind, rows));
  for (int64_t j = 0; j < mean.numel(); ++j) {
    T& m = running_mean.as<T>()[j];
    T& v = running_variance.as<T>()[j];
    m = running_average(m, kept, mean.as<T>()[j], take);
    v = running_average(v, kept, variance.as<T>()[j], take_variance);
  }
}

}  // namespace melgrad::reference
