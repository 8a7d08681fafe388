// The terms of softmax and of its cross-entropy for one row, written once for the reference, the CPU and the CUDA
// kernels.
#pragma once

#include <cmath>

#include "kernels/host_device.h"

namespace melgrad {

// The larger one; NaN if either is.
template <class T>
MELGRAD_HOST_DEVICE inline T larger(T a, T b) {
  return a < b || b != b ? b : a;
}

// log Σ exp(x - maximum) + maximum - x[label], where `sum` is that sum. The two large numbers meet first: at logits of
// 1e4 their difference is exact, and adding a logarithm to one of them would lose its digits.
template <class T>
MELGRAD_HOST_DEVICE inline T cross_entropy(T sum, T maximum, T label_logit) {
  return std::log(sum) + (maximum - label_logit);
}

// d loss / d logit, times dloss.
template <class T>
MELGRAD_HOST_DEVICE inline T cross_entropy_gradient(T probability, bool is_label, T dloss) {
  return (probability - (is_label ? T{1} : T{0})) * dloss;
}

// The softmax's own gradient; `dot` is Σ y dy over the row.
template <class T>
MELGRAD_HOST_DEVICE inline T softmax_gradient(T y, T dy, T dot) {
  return y * (dy - dot);
}

}  // namespace melgrad
