#include "kernels/softmax.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const SoftmaxFunctions softmax_functions;
}
namespace simt {
extern const SoftmaxFunctions softmax_functions;
}

namespace {

const SoftmaxFunctions& functions(Device device) {
  return functions_for("softmax", device, &cpu::softmax_functions, &simt::softmax_functions);
}

}  // namespace

void softmax_forward(Stream& stream, ConstView x, View y) {
  expect_alike("softmax_forward", x, y);
  require(x.shape.rank() >= 1, "softmax_forward: x is a scalar, expected (…, classes)");
  expect_shape("softmax_forward", "y", y, x.shape);
  functions(x.device).forward(stream, x, y);
}

void softmax_backward(Stream& stream, ConstView y, ConstView dy, View dx) {
  expect_alike("softmax_backward", y, dy, dx);
  require(y.shape.rank() >= 1, "softmax_backward: y is a scalar, expected (…, classes)");
  expect_shape("softmax_backward", "dy", dy, y.shape);
  expect_shape("softmax_backward", "dx", dx, y.shape);
  functions(y.device).backward(stream, y, dy, dx);
}

}  // namespace melgrad
