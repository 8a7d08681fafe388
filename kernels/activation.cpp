#include "kernels/activation.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const ActivationFunctions activation_functions;
}
namespace simt {
extern const ActivationFunctions activation_functions;
}

namespace {

const ActivationFunctions& functions(Device device) {
  return functions_for("activation", device, &cpu::activation_functions, &simt::activation_functions);
}

}  // namespace

void activation_forward(Stream& stream, Activation function, ConstView x, View y) {
  expect_alike("activation_forward", x, y);
  expect_shape("activation_forward", "y", y, x.shape);
  functions(x.device).forward(stream, function, x, y);
}

void activation_backward(Stream& stream, Activation function, ConstView y, ConstView dy, View dx) {
  expect_alike("activation_backward", y, dy, dx);
  expect_shape("activation_backward", "dy", dy, y.shape);
  expect_shape("activation_backward", "dx", dx, y.shape);
  functions(y.device).backward(stream, function, y, dy, dx);
}

}  // namespace melgrad
