#include "kernels/rmsprop.h"

#include <cmath>

#include "kernels/dispatch.h"
#include "kernels/update_check.h"

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

void expect_update(const RmspropUpdate& update) {
  const Shape& shape = update.weight.shape;
  expect_step(update.step);
  expect_alike("rmsprop_update", update.weight, update.gradient, update.square);
  expect_shape("rmsprop_update", "gradient", update.gradient, shape);
  expect_shape("rmsprop_update", "square", update.square, shape);
  if (update.step.centred) {
    expect_alike("rmsprop_update", update.weight, update.mean);
    expect_shape("rmsprop_update", "mean", update.mean, shape);
  }
  if (update.step.momentum == 0) return;
  expect_alike("rmsprop_update", update.weight, update.velocity);
  expect_shape("rmsprop_update", "velocity", update.velocity, shape);
}

}  // namespace

void rmsprop_update_all(Stream& stream, std::span<const RmspropUpdate> updates) {
  if (updates.empty()) return;
  const RmspropUpdate& first = updates.front();
  for (const RmspropUpdate& update : updates) {
    expect_update(update);
    expect_updated_together("rmsprop_update_all", first.weight, update.weight, update.keep);
    require((update.step.momentum == 0) == (first.step.momentum == 0) && update.step.centred == first.step.centred,
            "rmsprop_update_all: some steps have momentum or are centred, others not");
  }
  functions(first.weight.device).update_all(stream, updates);
}

void rmsprop_update(Stream& stream, const RmspropStep& step, ConstView gradient, View square, View mean, View velocity,
                    View weight) {
  const RmspropUpdate update{step, gradient, square, mean, velocity, weight};
  rmsprop_update_all(stream, std::span(&update, 1));
}

}  // namespace melgrad
