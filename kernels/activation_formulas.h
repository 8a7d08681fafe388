// The formula of each activation, written once for the reference, the CPU and the CUDA kernels.
#pragma once

#include <cmath>

#include "kernels/activation.h"
#include "kernels/host_device.h"

namespace melgrad {

// 1/(1 + exp(-x)), with no exponential of a large number.
template <class T>
MELGRAD_HOST_DEVICE inline T logistic(T x) {
  const T e = std::exp(x < T{0} ? x : -x);
  return (x < T{0} ? e : T{1}) / (T{1} + e);
}

// A NaN stays one in each.
template <Activation function, class T>
MELGRAD_HOST_DEVICE inline T activate(T x, T alpha) {
  if constexpr (function == Activation::relu) return x < T{0} ? T{0} : x;
  if constexpr (function == Activation::leaky_relu) return x < T{0} ? alpha * x : x;
  if constexpr (function == Activation::elu) return x < T{0} ? alpha * std::expm1(x) : x;
  if constexpr (function == Activation::sigmoid) return logistic(x);
  if constexpr (function == Activation::hard_sigmoid) return x < T{-3} ? T{0} : x > T{3} ? T{1} : (x + T{3}) / T{6};
  if constexpr (function == Activation::hard_sigmoid_keras1)
    return x < T(-2.5) ? T{0} : x > T(2.5) ? T{1} : T(0.2) * x + T(0.5);
  if constexpr (function == Activation::tanh) return std::tanh(x);
  return x;
}

// f'(x) dy where y = f(x).
template <Activation function, class T>
MELGRAD_HOST_DEVICE inline T activation_gradient(T y, T dy, T alpha) {
  if constexpr (function == Activation::relu) return y > T{0} ? dy : T{0};
  if constexpr (function == Activation::leaky_relu) return y > T{0} ? dy : alpha * dy;
  if constexpr (function == Activation::elu) return y > T{0} ? dy : (y + alpha) * dy;
  if constexpr (function == Activation::sigmoid) return y * (T{1} - y) * dy;
  if constexpr (function == Activation::hard_sigmoid) return y > T{0} && y < T{1} ? dy / T{6} : T{0};
  if constexpr (function == Activation::hard_sigmoid_keras1) return y > T{0} && y < T{1} ? T(0.2) * dy : T{0};
  if constexpr (function == Activation::tanh) return (T{1} - y * y) * dy;
  return dy;
}

// Calls body.operator()<function>() with the run-time choice as a template argument, so that inner loops have no
// branch.
template <class Body>
void with_activation(Activation function, const Body& body) {
  switch (function) {
    case Activation::linear:
      return body.template operator()<Activation::linear>();
    case Activation::relu:
      return body.template operator()<Activation::relu>();
    case Activation::leaky_relu:
      return body.template operator()<Activation::leaky_relu>();
    case Activation::elu:
      return body.template operator()<Activation::elu>();
    case Activation::sigmoid:
      return body.template operator()<Activation::sigmoid>();
    case Activation::hard_sigmoid:
      return body.template operator()<Activation::hard_sigmoid>();
    case Activation::hard_sigmoid_keras1:
      return body.template operator()<Activation::hard_sigmoid_keras1>();
    case Activation::tanh:
      return body.template operator()<Activation::tanh>();
  }
}

}  // namespace melgrad
