// Reference of the activations: the definition, as loops. See kernels/activation.h.
#pragma once

#include "kernels/activation_formulas.h"

namespace melgrad::reference {

template <class T>
void activation_forward(ActivationChoice choice, ConstView x, View y) {
  const T* in = x.as<T>();
  T* out = y.as<T>();
  const T alpha = static_cast<T>(choice.alpha);
  with_activation(choice.function, [&]<Activation f>() {
    for (int64_t i = 0; i < x.numel(); ++i) out[i] = activate<f>(in[i], alpha);
  });
}

template <class T>
void activation_backward(ActivationChoice choice, ConstView y, ConstView dy, View dx) {
  const T* out = y.as<T>();
  const T* gradient = dy.as<T>();
  T* result = dx.as<T>();
  const T alpha = static_cast<T>(choice.alpha);
  with_activation(choice.function, [&]<Activation f>() {
    for (int64_t i = 0; i < y.numel(); ++i) result[i] = activation_gradient<f>(out[i], gradient[i], alpha);
  });
}

}  // namespace melgrad::reference
