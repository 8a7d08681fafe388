// Softmax with cross-entropy on the CPU.
#include "kernels/reference/softmax_cross_entropy.h"

namespace melgrad::cpu {
namespace {

void forward(Stream&, ConstView logits, ConstView labels, View loss, View probabilities) {
  if (logits.dtype == DType::f64)
    return reference::softmax_cross_entropy_forward<double>(logits, labels, loss, probabilities);
  reference::softmax_cross_entropy_forward<float>(logits, labels, loss, probabilities);
}

void backward(Stream&, ConstView probabilities, ConstView labels, ConstView dloss, View dlogits) {
  if (probabilities.dtype == DType::f64)
    return reference::softmax_cross_entropy_backward<double>(probabilities, labels, dloss, dlogits);
  reference::softmax_cross_entropy_backward<float>(probabilities, labels, dloss, dlogits);
}

}  // namespace

extern const SoftmaxCrossEntropyFunctions softmax_cross_entropy_functions;
const SoftmaxCrossEntropyFunctions softmax_cross_entropy_functions{forward, backward};

}  // namespace melgrad::cpu
