// One step of SGD on one element, written once for the reference, the CPU and the CUDA kernels.
#pragma once

#include "kernels/host_device.h"
#include "kernels/sgd.h"

namespace melgrad {

// The numbers of a step in the type of the weights.
template <class T>
struct SgdNumbers {
  T learning_rate, momentum, l2;

  explicit SgdNumbers(const SgdStep& step)
      : learning_rate(static_cast<T>(step.learning_rate)),
        momentum(static_cast<T>(step.momentum)),
        l2(static_cast<T>(step.l2)) {}
};

// Without momentum the variants and Nesterov's form are all this.
template <class T>
MELGRAD_HOST_DEVICE inline void sgd_step(const SgdNumbers<T>& step, T gradient, T& weight) {
  weight -= step.learning_rate * (gradient + step.l2 * weight);
}

template <OptimizerVariant variant, bool nesterov, class T>
MELGRAD_HOST_DEVICE inline void sgd_step(const SgdNumbers<T>& step, T gradient, T& velocity, T& weight) {
  const T g = gradient + step.l2 * weight;
  if constexpr (variant == OptimizerVariant::keras) {
    velocity = step.momentum * velocity - step.learning_rate * g;
    weight += nesterov ? step.momentum * velocity - step.learning_rate * g : velocity;
  } else {
    velocity = step.momentum * velocity + g;
    weight -= step.learning_rate * (nesterov ? g + step.momentum * velocity : velocity);
  }
}

// Calls body.operator()<variant, nesterov>() with the run-time choices as template arguments.
template <class Body>
void with_sgd(const SgdStep& step, const Body& body) {
  constexpr OptimizerVariant keras = OptimizerVariant::keras, pytorch = OptimizerVariant::pytorch;
  if (step.variant == keras) {
    step.nesterov ? body.template operator()<keras, true>() : body.template operator()<keras, false>();
  } else {
    step.nesterov ? body.template operator()<pytorch, true>() : body.template operator()<pytorch, false>();
  }
}

}  // namespace melgrad
