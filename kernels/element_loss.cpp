#include "kernels/element_loss.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const ElementLossFunctions element_loss_functions;
}
namespace simt {
extern const ElementLossFunctions element_loss_functions;
}

namespace {

const ElementLossFunctions& functions(Device device) {
  return functions_for("element_loss", device, &cpu::element_loss_functions, &simt::element_loss_functions);
}

}  // namespace

void element_loss_forward(Stream& stream, ElementLoss loss, ConstView prediction, ConstView target, View y) {
  expect_alike("element_loss_forward", prediction, target, y);
  expect_shape("element_loss_forward", "target", target, prediction.shape);
  expect_shape("element_loss_forward", "y", y, prediction.shape);
  functions(prediction.device).forward(stream, loss, prediction, target, y);
}

void element_loss_backward(Stream& stream, ElementLoss loss, ConstView prediction, ConstView target, ConstView dy,
                           View dx) {
  expect_alike("element_loss_backward", prediction, target, dy, dx);
  expect_shape("element_loss_backward", "target", target, prediction.shape);
  expect_shape("element_loss_backward", "dy", dy, prediction.shape);
  expect_shape("element_loss_backward", "dx", dx, prediction.shape);
  functions(prediction.device).backward(stream, loss, prediction, target, dy, dx);
}

}  // namespace melgrad
