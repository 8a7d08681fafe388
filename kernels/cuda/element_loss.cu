// Element-wise losses; see kernels/cuda/map.h for the algorithm and launch.
//
// Bottleneck: global memory. Forward moves 12 bytes an element, backward 16.
#include "kernels/cuda/map.h"
#include "kernels/element_loss_formulas.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

template <ElementLoss loss>
struct Value {
  __device__ float operator()(float prediction, float target) const { return element_loss<loss>(prediction, target); }
};
template <ElementLoss loss>
struct Gradient {
  __device__ float operator()(float prediction, float target, float dy) const {
    return dy * element_loss_gradient<loss>(prediction, target);
  }
};

void forward(Stream& stream, ElementLoss loss, ConstView prediction, ConstView target, View y) {
  with_element_loss(loss, [&]<ElementLoss f>() { map(stream, Value<f>{}, y, prediction, target); });
}

void backward(Stream& stream, ElementLoss loss, ConstView prediction, ConstView target, ConstView dy, View dx) {
  with_element_loss(loss, [&]<ElementLoss f>() { map(stream, Gradient<f>{}, dx, prediction, target, dy); });
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(ElementLossFunctions, element_loss, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
