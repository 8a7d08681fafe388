// Reference of softmax with cross-entropy to a distribution: the definition, as loops. See kernels/soft_cross_entropy.h.
#pragma once

#include "kernels/reference/softmax.h"
#include "kernels/soft_cross_entropy.h"

namespace melgrad::reference {

// What a row of targets is multiplied by.
template <class T>
T target_factor(TargetScale scale, const T* targets, int64_t classes) {
  if (scale == TargetScale::as_given) return T{1};
  T sum{0};
  for (int64_t i = 0; i < classes; ++i) sum += targets[i];
  return sum == T{0} ? T{0} : T{1} / sum;
}

// Σ t (log Σ exp(x) - x), from the row's softmax.
template <class T, class Row>
T soft_loss(const Row& row, T factor, const T* x, const T* t, int64_t classes) {
  T loss{0};
  for (int64_t i = 0; i < classes; ++i)
    if (t[i] != T{0}) loss += factor * t[i] * cross_entropy(row.sum, row.maximum, x[i]);
  return loss;
}

template <class T>
void soft_gradient(T factor, const T* p, const T* t, T dloss, int64_t classes, T* dx) {
  T sum{0};
  for (int64_t i = 0; i < classes; ++i) sum += factor * t[i];
  for (int64_t i = 0; i < classes; ++i) dx[i] = (p[i] * sum - factor * t[i]) * dloss;
}

template <class T>
void soft_cross_entropy_forward(TargetScale scale, ConstView logits, ConstView targets, View loss, View probabilities) {
  const int64_t classes = logits.shape[1];
  for (int64_t row = 0; row < logits.shape[0]; ++row) {
    const T *x = logits.as<T>() + row * classes, *t = targets.as<T>() + row * classes;
    const SoftmaxRow<T> of_row = softmax_row(x, classes, probabilities.as<T>() + row * classes);
    loss.as<T>()[row] = soft_loss(of_row, target_factor(scale, t, classes), x, t, classes);
  }
}

template <class T>
void soft_cross_entropy_backward(TargetScale scale, ConstView probabilities, ConstView targets, ConstView dloss,
                                 View dlogits) {
  const int64_t classes = targets.shape[1];
  for (int64_t row = 0; row < targets.shape[0]; ++row) {
    const T* t = targets.as<T>() + row * classes;
    soft_gradient(target_factor(scale, t, classes), probabilities.as<T>() + row * classes, t, dloss.as<T>()[row],
                  classes, dlogits.as<T>() + row * classes);
  }
}

}  // namespace melgrad::reference
