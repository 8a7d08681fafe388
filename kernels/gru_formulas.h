// The element-wise parts of a gated recurrent unit, written once for all devices.
#pragma once

#include "kernels/activation_formulas.h"
#include "kernels/gru.h"

namespace melgrad {

template <class T>
MELGRAD_HOST_DEVICE inline T gate(Activation function, T x) {
  if (function == Activation::hard_sigmoid) return activate<Activation::hard_sigmoid>(x, T{1});
  if (function == Activation::hard_sigmoid_keras1) return activate<Activation::hard_sigmoid_keras1>(x, T{1});
  return logistic(x);
}

template <class T>
MELGRAD_HOST_DEVICE inline T gate_gradient(Activation function, T y, T dy) {
  if (function == Activation::hard_sigmoid) return activation_gradient<Activation::hard_sigmoid>(y, dy, T{1});
  if (function == Activation::hard_sigmoid_keras1)
    return activation_gradient<Activation::hard_sigmoid_keras1>(y, dy, T{1});
  return activation_gradient<Activation::sigmoid>(y, dy, T{1});
}

// h = z h' + (1 - z) g.
template <class T>
MELGRAD_HOST_DEVICE inline T gru_state(T z, T before, T g) {
  return z * before + (T{1} - z) * g;
}

// What dh means for z and for the argument of g's tanh.
template <class T>
MELGRAD_HOST_DEVICE inline T gru_dz(T before, T g, T dh) {
  return dh * (before - g);
}
template <class T>
MELGRAD_HOST_DEVICE inline T gru_dcandidate(T z, T g, T dh) {
  return activation_gradient<Activation::tanh>(g, dh * (T{1} - z), T{1});
}

}  // namespace melgrad
