// Functions of one number, element by element; see kernels/cuda/map.h for the algorithm and launch.
//
// Bottleneck: global memory. Forward moves 8 bytes an element, backward 12.
#include "kernels/cuda/map.h"
#include "kernels/unary_formulas.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

template <Unary function>
struct Value {
  __device__ float operator()(float x) const { return unary_value<function>(x); }
};
template <Unary function>
struct Gradient {
  __device__ float operator()(float x, float dy) const { return unary_gradient<function>(x, dy); }
};

void forward(Stream& stream, Unary function, ConstView x, View y) {
  with_unary(function, [&]<Unary f>() { map(stream, Value<f>{}, y, x); });
}

void backward(Stream& stream, Unary function, ConstView x, ConstView dy, View dx) {
  with_unary(function, [&]<Unary f>() { map(stream, Gradient<f>{}, dx, x, dy); });
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(UnaryFunctions, unary, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
