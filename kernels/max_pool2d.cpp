#include "kernels/max_pool2d.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const MaxPool2dFunctions max_pool2d_functions;
}
namespace simt {
extern const MaxPool2dFunctions max_pool2d_functions;
}

namespace {

const MaxPool2dFunctions& functions(Device device) {
  return functions_for("max_pool2d", device, &cpu::max_pool2d_functions, &simt::max_pool2d_functions);
}

}  // namespace

void max_pool2d_forward(Stream& stream, const Pool2dProblem& problem, ConstView x, View y, View argmax) {
  expect_pool("max_pool2d_forward", problem);
  expect_alike("max_pool2d_forward", x, y);
  expect_shape("max_pool2d_forward", "x", x, problem.x_shape());
  expect_shape("max_pool2d_forward", "y", y, problem.y_shape());
  expect_index("max_pool2d_forward", "argmax", argmax, x.device);
  expect_shape("max_pool2d_forward", "argmax", argmax, problem.y_shape());
  functions(x.device).forward(stream, problem, x, y, argmax);
}

void max_pool2d_backward(Stream& stream, const Pool2dProblem& problem, ConstView dy, ConstView argmax, View dx) {
  expect_pool("max_pool2d_backward", problem);
  expect_alike("max_pool2d_backward", dy, dx);
  expect_shape("max_pool2d_backward", "dy", dy, problem.y_shape());
  expect_index("max_pool2d_backward", "argmax", argmax, dy.device);
  expect_shape("max_pool2d_backward", "argmax", argmax, problem.y_shape());
  expect_shape("max_pool2d_backward", "dx", dx, problem.x_shape());
  functions(dy.device).backward(stream, problem, dy, argmax, dx);
}

}  // namespace melgrad
