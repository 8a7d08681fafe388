#include "kernels/adadelta.h"

#include <cmath>

#include "kernels/dispatch.h"
#include "kernels/update_check.h"

namespace melgrad {
namespace cpu {
extern const AdadeltaFunctions adadelta_functions;
}
namespace simt {
extern const AdadeltaFunctions adadelta_functions;
}

namespace {

const AdadeltaFunctions& functions(Device device) {
  return functions_for("adadelta", device, &cpu::adadelta_functions, &simt::adadelta_functions);
}

void expect_step(const AdadeltaStep& step) {
  require(std::isfinite(step.learning_rate), "adadelta_update: learning rate is {}", step.learning_rate);
  require(step.rho >= 0 && step.rho < 1, "adadelta_update: rho is {}, expected 0 <= rho < 1", step.rho);
  require(step.epsilon > 0, "adadelta_update: epsilon is {}, expected a positive number", step.epsilon);
  require(std::isfinite(step.l2), "adadelta_update: l2 is {}", step.l2);
}

void expect_update(const AdadeltaUpdate& update) {
  const Shape& shape = update.weight.shape;
  expect_step(update.step);
  expect_alike("adadelta_update", update.weight, update.gradient, update.square, update.update);
  expect_shape("adadelta_update", "gradient", update.gradient, shape);
  expect_shape("adadelta_update", "square", update.square, shape);
  expect_shape("adadelta_update", "update", update.update, shape);
}

}  // namespace

void adadelta_update_all(Stream& stream, std::span<const AdadeltaUpdate> updates) {
  if (updates.empty()) return;
  const AdadeltaUpdate& first = updates.front();
  for (const AdadeltaUpdate& update : updates) {
    expect_update(update);
    expect_updated_together("adadelta_update_all", first.weight, update.weight, update.keep);
  }
  functions(first.weight.device).update_all(stream, updates);
}

void adadelta_update(Stream& stream, const AdadeltaStep& step, ConstView gradient, View square, View update,
                     View weight) {
  const AdadeltaUpdate one{step, gradient, square, update, weight};
  adadelta_update_all(stream, std::span(&one, 1));
}

}  // namespace melgrad
