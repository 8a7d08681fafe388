// Element-wise losses on the CPU: the reference's loops, by threads. A loss has as many elements as a network has
// outputs, so nothing is gained by more.
#include "kernels/reference/element_loss.h"

namespace melgrad::cpu {
namespace {

constexpr int64_t grain = 1 << 11;  // elements a chunk: some 20 µs of logarithms

void forward(Stream& stream, ElementLoss loss, ConstView prediction, ConstView target, View y) {
  if (y.dtype == DType::f64) return reference::element_loss_forward<double>(loss, prediction, target, y);
  parallel_for(stream.threads(), y.numel(), grain, [&](int64_t begin, int64_t end) {
    reference::element_loss_forward(loss, prediction.as<float>(), target.as<float>(), y.as<float>(), begin, end);
  });
}

void backward(Stream& stream, ElementLoss loss, ConstView prediction, ConstView target, ConstView dy, View dx) {
  if (dx.dtype == DType::f64) return reference::element_loss_backward<double>(loss, prediction, target, dy, dx);
  parallel_for(stream.threads(), dx.numel(), grain, [&](int64_t begin, int64_t end) {
    reference::element_loss_backward(loss, prediction.as<float>(), target.as<float>(), dy.as<float>(), dx.as<float>(),
                                     begin, end);
  });
}

}  // namespace

extern const ElementLossFunctions element_loss_functions;
const ElementLossFunctions element_loss_functions{forward, backward};

}  // namespace melgrad::cpu
