#include "kernels/adadelta.h"

#include <cmath>

#include "kernels/check.h"
#include "kernels/dispatch.h"

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

}  // namespace

void adadelta_update(Stream& stream, const AdadeltaStep& step, ConstView gradient, View square, View update,
                     View weight) {
  expect_step(step);
  expect_alike("adadelta_update", weight, gradient, square, update);
  expect_shape("adadelta_update", "gradient", gradient, weight.shape);
  expect_shape("adadelta_update", "square", square, weight.shape);
  expect_shape("adadelta_update", "update", update, weight.shape);
  functions(weight.device).update(stream, step, gradient, square, update, weight);
}

}  // namespace melgrad
