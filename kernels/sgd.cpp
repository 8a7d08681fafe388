#include "kernels/sgd.h"

#include <cmath>

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const SgdFunctions sgd_functions;
}
namespace simt {
extern const SgdFunctions sgd_functions;
}

namespace {

const SgdFunctions& functions(Device device) {
  return functions_for("sgd", device, &cpu::sgd_functions, &simt::sgd_functions);
}

void expect_step(const SgdStep& step) {
  require(std::isfinite(step.learning_rate), "sgd_update: learning rate is {}", step.learning_rate);
  require(step.momentum >= 0 && step.momentum <= 1, "sgd_update: momentum is {}, expected 0 to 1", step.momentum);
  require(std::isfinite(step.l2), "sgd_update: l2 is {}", step.l2);
}

}  // namespace

void sgd_update(Stream& stream, const SgdStep& step, ConstView gradient, View velocity, View weight) {
  expect_step(step);
  expect_alike("sgd_update", weight, gradient);
  expect_shape("sgd_update", "gradient", gradient, weight.shape);
  if (step.momentum != 0) {
    expect_alike("sgd_update", weight, velocity);
    expect_shape("sgd_update", "velocity", velocity, weight.shape);
  }
  functions(weight.device).update(stream, step, gradient, velocity, weight);
}

}  // namespace melgrad
