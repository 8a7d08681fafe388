#include "kernels/unary.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const UnaryFunctions unary_functions;
}
namespace simt {
extern const UnaryFunctions unary_functions;
}

namespace {

const UnaryFunctions& functions(Device device) {
  return functions_for("unary", device, &cpu::unary_functions, &simt::unary_functions);
}

}  // namespace

void unary_forward(Stream& stream, Unary function, ConstView x, View y) {
  expect_alike("unary_forward", x, y);
  expect_shape("unary_forward", "y", y, x.shape);
  functions(x.device).forward(stream, function, x, y);
}

void unary_backward(Stream& stream, Unary function, ConstView x, ConstView dy, View dx) {
  expect_alike("unary_backward", x, dy, dx);
  expect_shape("unary_backward", "dy", dy, x.shape);
  expect_shape("unary_backward", "dx", dx, x.shape);
  functions(x.device).backward(stream, function, x, dy, dx);
}

}  // namespace melgrad
