#include "kernels/rmsprop.h"

#include <cmath>

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const RmspropFunctions rmsprop_functions;
}
namespace simt {
extern const RmspropFunctions rmsprop_functions;
}

namespace {

const RmspropFunctions& functions(Device device) {
  return functions_for("rmsprop", device, &cpu::rmsprop_functions, &simt::rmsprop_functions);
}

void expect_step(const RmspropStep& step) {
  require(std::isfinite(step.learning_rate), "rmsprop_update: learning rate is {}", step.learning_rate);
  require(step.rho >= 0 && step.rho < 1, "rmsprop_update: rho is {}, expected 0 <= rho < 1", step.rho);
  require(step.momentum >= 0 && step.momentum <= 1, "rmsprop_update: momentum is {}, expected 0 to 1", step.momentum);
  require(step.epsilon >= 0, "rmsprop_update: epsilon is {}, expected at least 0", step.epsilon);
  require(std::isfinite(step.l2), "rmsprop_update: l2 is {}", step.l2);
}

}  // namespace

void rmsprop_update(Stream& stream, const RmspropStep& step, ConstView gradient, View square, View mean, View velocity,
                    View weight) {
  expect_step(step);
  expect_alike("rmsprop_update", weight, gradient, square);
  expect_shape("rmsprop_update", "gradient", gradient, weight.shape);
  expect_shape("rmsprop_update", "square", square, weight.shape);
  if (step.centred) {
    expect_alike("rmsprop_update", weight, mean);
    expect_shape("rmsprop_update", "mean", mean, weight.shape);
  }
  if (step.momentum != 0) {
    expect_alike("rmsprop_update", weight, velocity);
    expect_shape("rmsprop_update", "velocity", velocity, weight.shape);
  }
  functions(weight.device).update(stream, step, gradient, square, mean, velocity, weight);
}

}  // namespace melgrad
