#include "kernels/bias.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const BiasFunctions bias_functions;
}
namespace simt {
extern const BiasFunctions bias_functions;
}

namespace {

const BiasFunctions& functions(Device device) {
  return functions_for("bias", device, &cpu::bias_functions, &simt::bias_functions);
}

void expect_channels(const char* operation, const char* name, const ConstView& x, const ConstView& bias) {
  if (x.shape.rank() < 1) fail("{}: {} is a scalar, expected (…, c)", operation, name);
  expect_shape(operation, "bias", bias, {x.shape[-1]});
}

}  // namespace

void bias_forward(Stream& stream, ConstView x, ConstView bias, View y) {
  expect_alike("bias_forward", x, bias, y);
  expect_channels("bias_forward", "x", x, bias);
  expect_shape("bias_forward", "y", y, x.shape);
  functions(x.device).forward(stream, x, bias, y);
}

void bias_backward(Stream& stream, ConstView dy, View dbias) {
  expect_alike("bias_backward", dy, dbias);
  expect_channels("bias_backward", "dy", dy, dbias);
  functions(dy.device).backward(stream, dy, dbias);
}

}  // namespace melgrad
