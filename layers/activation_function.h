// What may follow a layer: the element-wise functions of kernels/activation.h, and softmax over the last axis.
#pragma once

#include "tensor/ops/activation.h"
#include "tensor/ops/softmax.h"

namespace melgrad {

enum class ActivationFunction : uint8_t { linear, relu, softmax };

template <>
inline constexpr EnumNames<ActivationFunction, 3> enum_names<ActivationFunction>{
    {{ActivationFunction::linear, "linear"},
     {ActivationFunction::relu, "relu"},
     {ActivationFunction::softmax, "softmax"}}};

inline Tensor apply_activation(ActivationFunction function, const Tensor& x) {
  switch (function) {
    case ActivationFunction::linear:
      return x;
    case ActivationFunction::relu:
      return relu(x);
    case ActivationFunction::softmax:
      return softmax(x);
  }
  return x;
}

}  // namespace melgrad
