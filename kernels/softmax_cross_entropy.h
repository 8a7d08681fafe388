// Softmax with cross-entropy, from logits, in one stable pass.
//
// logits, probabilities, dlogits (rows, classes); labels (rows) i32 in 0 … classes - 1; loss, dloss (rows): one loss a
// row, so that a mean, a sum or sample weights are other operations' business.
//   loss = log Σ exp(logits - max) + max - logits[label]
// A label out of range throws on the cpu, and gives a NaN loss and gradient on other devices.
#pragma once

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

void softmax_cross_entropy_forward(Stream& stream, ConstView logits, ConstView labels, View loss, View probabilities);

// dlogits = (probabilities - onehot(label)) · dloss.
void softmax_cross_entropy_backward(Stream& stream, ConstView probabilities, ConstView labels, ConstView dloss,
                                    View dlogits);

constexpr Cost softmax_cross_entropy_forward_cost(int64_t rows, int64_t classes, int64_t element_size) {
  return {5 * rows * classes, (2 * rows * classes + rows) * element_size + 4 * rows};
}
constexpr Cost softmax_cross_entropy_backward_cost(int64_t rows, int64_t classes, int64_t element_size) {
  return {2 * rows * classes, (2 * rows * classes + rows) * element_size + 4 * rows};
}

struct SoftmaxCrossEntropyFunctions {
  decltype(&softmax_cross_entropy_forward) forward;
  decltype(&softmax_cross_entropy_backward) backward;
};

}  // namespace melgrad
