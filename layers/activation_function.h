// What may follow a layer: the element-wise functions of kernels/activation.h, and softmax over the last axis.
#pragma once

#include <optional>

#include "tensor/ops/activation.h"
#include "tensor/ops/softmax.h"

namespace melgrad {

enum class ActivationFunction : uint8_t {
  linear,
  relu,
  leaky_relu,  // slope 0.2, Keras 3's
  elu,
  sigmoid,
  hard_sigmoid,
  hard_sigmoid_keras1,
  tanh,
  softmax,
};

template <>
inline constexpr EnumNames<ActivationFunction, 9> enum_names<ActivationFunction>{
    {{ActivationFunction::linear, "linear"},
     {ActivationFunction::relu, "relu"},
     {ActivationFunction::leaky_relu, "leaky_relu"},
     {ActivationFunction::elu, "elu"},
     {ActivationFunction::sigmoid, "sigmoid"},
     {ActivationFunction::hard_sigmoid, "hard_sigmoid"},
     {ActivationFunction::hard_sigmoid_keras1, "hard_sigmoid_keras1"},
     {ActivationFunction::tanh, "tanh"},
     {ActivationFunction::softmax, "softmax"}}};

// As a function element by element, which softmax is not.
inline std::optional<ActivationChoice> choice_of(ActivationFunction function) {
  if (function == ActivationFunction::softmax) return {};
  return parse_enum<Activation>("activation", name_of(function));
}

// Softmax goes over the last axis, every other function over the elements: it is that of the same name in kernels/.
inline Tensor apply_activation(ActivationFunction function, const Tensor& x) {
  if (function == ActivationFunction::softmax) return softmax(x);
  return activation(parse_enum<Activation>("activation", name_of(function)), x);
}

}  // namespace melgrad
