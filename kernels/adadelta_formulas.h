// One step of Adadelta on one element, written once for the reference, the CPU and the CUDA kernels.
#pragma once

#include <cmath>

#include "kernels/adadelta.h"
#include "kernels/host_device.h"

namespace melgrad {

// The numbers of a step in the type of the weights.
template <class T>
struct AdadeltaNumbers {
  T rate, rho, gain, epsilon, l2;

  explicit AdadeltaNumbers(const AdadeltaStep& step)
      : rate(static_cast<T>(step.learning_rate)),
        rho(static_cast<T>(step.rho)),
        gain(static_cast<T>(1 - step.rho)),
        epsilon(static_cast<T>(step.epsilon)),
        l2(static_cast<T>(step.l2)) {}
};

template <class T>
MELGRAD_HOST_DEVICE inline void adadelta_step(const AdadeltaNumbers<T>& step, T gradient, T& square, T& update,
                                              T& weight) {
  const T g = gradient + step.l2 * weight;
  square = step.rho * square + step.gain * (g * g);
  const T move = std::sqrt(update + step.epsilon) / std::sqrt(square + step.epsilon) * g;
  update = step.rho * update + step.gain * (move * move);
  weight -= step.rate * move;
}

}  // namespace melgrad
