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
  linear,               // x
  relu,                 // max(x, 0); derivative 0 at 0. Nair and Hinton, ICML 2010
  leaky_relu,           // x above 0, alpha·x below. Maas, Hannun and Ng, ICML 2013
  elu,                  // x above 0, alpha·(exp(x) - 1) below. Clevert, Unterthiner and Hochreiter, ICLR 2016
  sigmoid,              // 1/(1 + exp(-x))
  hard_sigmoid,         // min(max(x + 3, 0), 6)/6: Keras 3 and PyTorch
  hard_sigmoid_keras1,  // min(max(0.2·x + 0.5, 0), 1): Keras 1 and 2
  tanh,
};

template <>
inline constexpr EnumNames<Activation, 8> enum_names<Activation>{
    {{Activation::linear, "linear"},
     {Activation::relu, "relu"},
     {Activation::leaky_relu, "leaky_relu"},
     {Activation::elu, "elu"},
     {Activation::sigmoid, "sigmoid"},
     {Activation::hard_sigmoid, "hard_sigmoid"},
     {Activation::hard_sigmoid_keras1, "hard_sigmoid_keras1"},
     {Activation::tanh, "tanh"}}};

// A function with its number, where it has one.
struct ActivationChoice {
  Activation function;
  double alpha;  // of leaky_relu (0.2 in Keras 3, 0.01 in PyTorch) and elu; 0 or more, so that y tells x's sign

  constexpr ActivationChoice(Activation f)  // NOLINT: `activation_forward(stream, Activation::relu, …)` is the point
      : ActivationChoice(f, f == Activation::leaky_relu ? 0.2 : 1.0) {}
  constexpr ActivationChoice(Activation f, double a) : function(f), alpha(a) {}
};

// y = f(x). y may be x.
void activation_forward(Stream& stream, ActivationChoice choice, ConstView x, View y);

// dx = f'(x) dy, from y = f(x). dx may be dy.
void activation_backward(Stream& stream, ActivationChoice choice, ConstView y, ConstView dy, View dx);

constexpr Cost activation_forward_cost(int64_t n, int64_t element_size) {
  return {n, 2 * n * element_size};
}
constexpr Cost activation_backward_cost(int64_t n, int64_t element_size) {
  return {n, 3 * n * element_size};
}

// What a device implements. The checks have been made.
struct ActivationFunctions {
  decltype(&activation_forward) forward;
  decltype(&activation_backward) backward;
};

}  // namespace melgrad
