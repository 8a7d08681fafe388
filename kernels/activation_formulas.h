// The formula of each activation, written once for the reference, the CPU and the CUDA kernels.
#pragma once

#include "kernels/activation.h"
#include "kernels/host_device.h"

namespace melgrad {

template <Activation function, class T>
MELGRAD_HOST_DEVICE inline T activate(T x) {
  if constexpr (function == Activation::relu) return x < T{0} ? T{0} : x;  // a NaN stays one
  return x;
}

// f'(x) dy where y = f(x).
template <Activation function, class T>
MELGRAD_HOST_DEVICE inline T activation_gradient(T y, T dy) {
  if constexpr (function == Activation::relu) return y > T{0} ? dy : T{0};
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
  }
}

}  // namespace melgrad
