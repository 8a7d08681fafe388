#include "kernels/adam.h"

#include <cmath>

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const AdamFunctions adam_functions;
}
namespace simt {
extern const AdamFunctions adam_functions;
}

namespace {

const AdamFunctions& functions(Device device) {
  return functions_for("adam", device, &cpu::adam_functions, &simt::adam_functions);
}

void expect_step(const AdamStep& step) {
  require(std::isfinite(step.learning_rate), "adam_update: learning rate is {}", step.learning_rate);
  require(step.beta1 >= 0 && step.beta1 < 1, "adam_update: beta1 is {}, expected 0 <= beta1 < 1", step.beta1);
  require(step.beta2 >= 0 && step.beta2 < 1, "adam_update: beta2 is {}, expected 0 <= beta2 < 1", step.beta2);
  require(step.epsilon >= 0, "adam_update: epsilon is {}, expected at least 0", step.epsilon);
  require(std::isfinite(step.l2), "adam_update: l2 is {}", step.l2);
  require(step.step >= 1, "adam_update: step is {}, expected at least 1", step.step);
}

}  // namespace

void adam_update(Stream& stream, const AdamStep& step, ConstView gradient, View first_moment, View second_moment,
                 View largest_second_moment, View weight) {
  expect_step(step);
  expect_alike("adam_update", weight, gradient, first_moment, second_moment);
  expect_shape("adam_update", "gradient", gradient, weight.shape);
  expect_shape("adam_update", "first_moment", first_moment, weight.shape);
  expect_shape("adam_update", "second_moment", second_moment, weight.shape);
  if (step.amsgrad) {
    expect_alike("adam_update", weight, largest_second_moment);
    expect_shape("adam_update", "largest_second_moment", largest_second_moment, weight.shape);
  }
  functions(weight.device).update(stream, step, gradient, first_moment, second_moment, largest_second_moment, weight);
}

}  // namespace melgrad
