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

void expect_alpha(const char* operation, const ActivationChoice& choice) {
  require(choice.alpha >= 0, "{}: alpha of {} is {}, expected 0 or more", operation, name_of(choice.function),
          choice.alpha);
}

}  // namespace

void activation_forward(Stream& stream, ActivationChoice choice, ConstView x, View y) {
  expect_alpha("activation_forward", choice);
  expect_alike("activation_forward", x, y);
  expect_shape("activation_forward", "y", y, x.shape);
  functions(x.device).forward(stream, choice, x, y);
}

void activation_backward(Stream& stream, ActivationChoice choice, ConstView y, ConstView dy, View dx) {
  expect_alpha("activation_backward", choice);
  expect_alike("activation_backward", y, dy, dx);
  expect_shape("activation_backward", "dy", dy, y.shape);
  expect_shape("activation_backward", "dx", dx, y.shape);
  functions(y.device).backward(stream, choice, y, dy, dx);
}

}  // namespace melgrad
