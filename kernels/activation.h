// Activations: y = f(x), element by element.
//
// Every function here has a derivative that its output determines, so the backward pass needs y alone and the forward
// pass may work in place (x and y the same memory). All views have one shape, dtype and device.
#pragma once

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

enum class Activation : uint8_t {
  linear,  // x
  relu,    // max(x, 0); derivative 0 at 0. Nair and Hinton, ICML 2010
};

template <>
inline constexpr EnumNames<Activation, 2> enum_names<Activation>{
    {{Activation::linear, "linear"}, {Activation::relu, "relu"}}};

// y = f(x). y may be x.
void activation_forward(Stream& stream, Activation function, ConstView x, View y);

// dx = f'(x) dy, from y = f(x). dx may be dy.
void activation_backward(Stream& stream, Activation function, ConstView y, ConstView dy, View dx);

constexpr Cost activation_forward_cost(int64_t n, int64_t element_size) {
  return {n, 2 * n * element_size};
}
constexpr Cost activation_backward_cost(int64_t n, int64_t element_size) {
  return {n, 3 * n * element_size};
}

// What a device implements. The checks have been made.
struct ActivationFunctions {
  void (*forward)(Stream&, Activation, ConstView x, View y);
  void (*backward)(Stream&, Activation, ConstView y, ConstView dy, View dx);
};

}  // namespace melgrad
