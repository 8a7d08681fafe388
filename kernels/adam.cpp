#include "kernels/adam.h"

#include <cmath>

#include "kernels/dispatch.h"
#include "kernels/update_check.h"

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

void expect_update(const AdamUpdate& update) {
  const Shape& shape = update.weight.shape;
  expect_step(update.step);
  expect_alike("adam_update", update.weight, update.gradient, update.first_moment, update.second_moment);
  expect_shape("adam_update", "gradient", update.gradient, shape);
  expect_shape("adam_update", "first_moment", update.first_moment, shape);
  expect_shape("adam_update", "second_moment", update.second_moment, shape);
  if (!update.step.amsgrad) return;
  expect_alike("adam_update", update.weight, update.largest_second_moment);
  expect_shape("adam_update", "largest_second_moment", update.largest_second_moment, shape);
}

}  // namespace

void adam_update_all(Stream& stream, std::span<const AdamUpdate> updates) {
  if (updates.empty()) return;
  const AdamUpdate& first = updates.front();
  for (const AdamUpdate& update : updates) {
    expect_update(update);
    expect_updated_together("adam_update_all", first.weight, update.weight, update.keep);
    require(update.step.amsgrad == first.step.amsgrad, "adam_update_all: some steps have amsgrad, others have not");
  }
  functions(first.weight.device).update_all(stream, updates);
}

void adam_update(Stream& stream, const AdamStep& step, ConstView gradient, View first_moment, View second_moment,
                 View largest_second_moment, View weight) {
  const AdamUpdate update{step, gradient, first_moment, second_moment, largest_second_moment, weight};
  adam_update_all(stream, std::span(&update, 1));
}

}  // namespace melgrad
