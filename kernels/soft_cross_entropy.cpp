#include "kernels/soft_cross_entropy.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const SoftCrossEntropyFunctions soft_cross_entropy_functions;
}
namespace simt {
extern const SoftCrossEntropyFunctions soft_cross_entropy_functions;
}

namespace {

const SoftCrossEntropyFunctions& functions(Device device) {
  return functions_for("soft_cross_entropy", device, &cpu::soft_cross_entropy_functions, &simt::soft_cross_entropy_functions);
}

void expect_rows(const char* operation, const ConstView& a, const char* loss_name, const ConstView& loss) {
  if (a.shape.rank() != 2 || a.shape[1] < 1)
    fail("{}: targets are {}, expected (rows, classes)", operation, a.shape.to_string());
  expect_shape(operation, loss_name, loss, Shape{a.shape[0]});
}

}  // namespace

void soft_cross_entropy_forward(Stream& stream, TargetScale scale, ConstView logits, ConstView targets, View loss,
                                View probabilities) {
  const char* operation = "soft_cross_entropy_forward";
  expect_alike(operation, logits, targets, loss, probabilities);
  expect_rows(operation, targets, "loss", loss);
  expect_shape(operation, "logits", logits, targets.shape);
  expect_shape(operation, "probabilities", probabilities, targets.shape);
  functions(logits.device).forward(stream, scale, logits, targets, loss, probabilities);
}

void soft_cross_entropy_backward(Stream& stream, TargetScale scale, ConstView probabilities, ConstView targets,
                                 ConstView dloss, View dlogits) {
  const char* operation = "soft_cross_entropy_backward";
  expect_alike(operation, probabilities, targets, dloss, dlogits);
  expect_rows(operation, targets, "dloss", dloss);
  expect_shape(operation, "probabilities", probabilities, targets.shape);
  expect_shape(operation, "dlogits", dlogits, targets.shape);
  functions(probabilities.device).backward(stream, scale, probabilities, targets, dloss, dlogits);
}

}  // namespace melgrad
