// Max pooling on the CPU.
#include "kernels/reference/max_pool2d.h"

namespace melgrad::cpu {
namespace {

void forward(Stream&, const MaxPool2dProblem& problem, ConstView x, View y, View argmax) {
  if (x.dtype == DType::f64) return reference::max_pool2d_forward<double>(problem, x, y, argmax);
  reference::max_pool2d_forward<float>(problem, x, y, argmax);
}

void backward(Stream&, const MaxPool2dProblem& problem, ConstView dy, ConstView argmax, View dx) {
  if (dy.dtype == DType::f64) return reference::max_pool2d_backward<double>(problem, dy, argmax, dx);
  reference::max_pool2d_backward<float>(problem, dy, argmax, dx);
}

}  // namespace

extern const MaxPool2dFunctions max_pool2d_functions;
const MaxPool2dFunctions max_pool2d_functions{forward, backward};

}  // namespace melgrad::cpu
