#include "kernels/sgd.h"

#include <cmath>

#include "kernels/dispatch.h"
#include "kernels/update_check.h"

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

void expect_update(const SgdUpdate& update) {
  expect_step(update.step);
  expect_alike("sgd_update", update.weight, update.gradient);
  expect_shape("sgd_update", "gradient", update.gradient, update.weight.shape);
  if (update.step.momentum == 0) return;
  expect_alike("sgd_update", update.weight, update.velocity);
  expect_shape("sgd_update", "velocity", update.velocity, update.weight.shape);
}

}  // namespace

void sgd_update_all(Stream& stream, std::span<const SgdUpdate> updates) {
  if (updates.empty()) return;
  const SgdUpdate& first = updates.front();
  for (const SgdUpdate& update : updates) {
    expect_update(update);
    expect_updated_together("sgd_update_all", first.weight, update.weight, update.keep);
    require((update.step.momentum == 0) == (first.step.momentum == 0) && update.step.nesterov == first.step.nesterov &&
                update.step.variant == first.step.variant,
            "sgd_update_all: steps differ in momentum, nesterov or variant");
  }
  functions(first.weight.device).update_all(stream, updates);
}

void sgd_update(Stream& stream, const SgdStep& step, ConstView gradient, View velocity, View weight) {
  const SgdUpdate update{step, gradient, velocity, weight};
  sgd_update_all(stream, std::span(&update, 1));
}

}  // namespace melgrad
