#pragma once

#include "kernels/activation.h"
#include "tensor/tensor.h"

namespace melgrad {

// f(x), element by element, with its gradient. See kernels/activation.h for the functions.
Tensor activation(ActivationChoice choice, const Tensor& x);

inline Tensor relu(const Tensor& x) {
  return activation(Activation::relu, x);
}

}  // namespace melgrad
