// Activations: y = f(x), element by element; see kernels/cuda/map.h for the algorithm and launch.
//
// Bottleneck: global memory. Forward moves 8 bytes an element, backward 12.
#include "kernels/activation_formulas.h"
#include "kernels/cuda/map.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

template <Activation function>
struct Value {
  float alpha;
  __device__ float operator()(float x) const { return activate<function>(x, alpha); }
};
template <Activation function>
struct Gradient {
  float alpha;
  __device__ float operator()(float y, float dy) const { return activation_gradient<function>(y, dy, alpha); }
};

void forward(Stream& stream, ActivationChoice choice, ConstView x, View y) {
  with_activation(choice.function,
                  [&]<Activation f>() { map(stream, Value<f>{static_cast<float>(choice.alpha)}, y, x); });
}

void backward(Stream& stream, ActivationChoice choice, ConstView y, ConstView dy, View dx) {
  with_activation(choice.function,
                  [&]<Activation f>() { map(stream, Gradient<f>{static_cast<float>(choice.alpha)}, dx, y, dy); });
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(ActivationFunctions, activation, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
