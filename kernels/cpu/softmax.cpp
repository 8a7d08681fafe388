// Softmax on the CPU.
#include "kernels/reference/softmax.h"

namespace melgrad::cpu {
namespace {

void forward(Stream&, ConstView x, View y) {
  if (x.dtype == DType::f64) return reference::softmax_forward<double>(x, y);
  reference::softmax_forward<float>(x, y);
}

void backward(Stream&, ConstView y, ConstView dy, View dx) {
  if (y.dtype == DType::f64) return reference::softmax_backward<double>(y, dy, dx);
  reference::softmax_backward<float>(y, dy, dx);
}

}  // namespace

extern const SoftmaxFunctions softmax_functions;
const SoftmaxFunctions softmax_functions{forward, backward};

}  // namespace melgrad::cpu
