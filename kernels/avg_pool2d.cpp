#include "kernels/avg_pool2d.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const AvgPool2dFunctions avg_pool2d_functions;
}
namespace simt {
extern const AvgPool2dFunctions avg_pool2d_functions;
}

namespace {

const AvgPool2dFunctions& checked(const char* operation, const Pool2dProblem& problem, const ConstView& x,
                                  const ConstView& y) {
  expect_pool(operation, problem);
  expect_alike(operation, x, y);
  expect_shape(operation, "x", x, problem.x_shape());
  expect_shape(operation, "y", y, problem.y_shape());
  return functions_for("avg_pool2d", x.device, &cpu::avg_pool2d_functions, &simt::avg_pool2d_functions);
}

}  // namespace

void avg_pool2d_forward(Stream& stream, const Pool2dProblem& problem, AverageOver over, ConstView x, View y) {
  checked("avg_pool2d_forward", problem, x, y).forward(stream, problem, over, x, y);
}

void avg_pool2d_backward(Stream& stream, const Pool2dProblem& problem, AverageOver over, ConstView dy, View dx) {
  checked("avg_pool2d_backward", problem, dx, dy).backward(stream, problem, over, dy, dx);
}

}  // namespace melgrad
