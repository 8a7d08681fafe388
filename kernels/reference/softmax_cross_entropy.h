// Reference of softmax with cross-entropy: the definition, as loops. See kernels/softmax_cross_entropy.h.
#pragma once

#include "kernels/reference/softmax.h"
#include "kernels/softmax_cross_entropy.h"

namespace melgrad::reference {

template <class T>
void softmax_cross_entropy_forward(ConstView logits, ConstView labels, View loss, View probabilities) {
  const int64_t classes = logits.shape[1];
  for (int64_t row = 0; row < logits.shape[0]; ++row) {
    const T* x = logits.as<T>() + row * classes;
    const SoftmaxRow<T> of_row = softmax_row(x, classes, probabilities.as<T>() + row * classes);
    loss.as<T>()[row] = cross_entropy(of_row.sum, of_row.maximum, x[labels.as<int32_t>()[row]]);
  }
}

template <class T>
void softmax_cross_entropy_backward(ConstView probabilities, ConstView labels, ConstView dloss, View dlogits) {
  const int64_t classes = probabilities.shape[1];
  for (int64_t row = 0; row < probabilities.shape[0]; ++row) {
    for (int64_t i = 0; i < classes; ++i) {
      const T probability = probabilities.as<T>()[row * classes + i];
      dlogits.as<T>()[row * classes + i] =
          cross_entropy_gradient(probability, i == labels.as<int32_t>()[row], dloss.as<T>()[row]);
    }
  }
}

}  // namespace melgrad::reference
