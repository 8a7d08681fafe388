// Reference of softmax: the definition, as loops. See kernels/softmax.h.
#pragma once

#include "kernels/softmax.h"
#include "kernels/softmax_formulas.h"

namespace melgrad::reference {

// What a row's softmax and its cross-entropy share.
template <class T>
struct SoftmaxRow {
  T maximum, sum;  // max x, Σ exp(x - max x)
};

template <class T>
SoftmaxRow<T> softmax_row(const T* x, int64_t classes, T* y) {
  T maximum = x[0];
  for (int64_t i = 1; i < classes; ++i) maximum = larger(maximum, x[i]);
  T sum = 0;
  for (int64_t i = 0; i < classes; ++i) sum += y[i] = std::exp(x[i] - maximum);
  for (int64_t i = 0; i < classes; ++i) y[i] /= sum;
  return {maximum, sum};
}

template <class T>
void softmax_forward(ConstView x, View y) {
  const int64_t classes = x.shape[-1];
  for (int64_t start = 0; start < x.numel(); start += classes)
    softmax_row(x.as<T>() + start, classes, y.as<T>() + start);
}

template <class T>
void softmax_backward(ConstView y, ConstView dy, View dx) {
  const int64_t classes = y.shape[-1];
  for (int64_t start = 0; start < y.numel(); start += classes) {
    const T* out = y.as<T>() + start;
    const T* gradient = dy.as<T>() + start;
    T dot = 0;
    for (int64_t i = 0; i < classes; ++i) dot += out[i] * gradient[i];
    for (int64_t i = 0; i < classes; ++i) dx.as<T>()[start + i] = softmax_gradient(out[i], gradient[i], dot);
  }
}

}  // namespace melgrad::reference
