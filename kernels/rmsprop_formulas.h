// One step of RMSprop on one element, written once for the reference, the CPU and the CUDA kernels.
#pragma once

#include <cmath>

#include "kernels/host_device.h"
#include "kernels/rmsprop.h"

namespace melgrad {

// The numbers of a step in the type of the weights. Both variants are v ← momentum·v + gain·g/(sqrt(s + inside) + outside)
// and w ← w - rate·v.
template <class T>
struct RmspropNumbers {
  T rho, square_gain, momentum, gain, rate, inside, outside, l2;
  bool centred;

  explicit RmspropNumbers(const RmspropStep& step)
      : rho(static_cast<T>(step.rho)),
        square_gain(static_cast<T>(1 - step.rho)),
        momentum(static_cast<T>(step.momentum)),
        l2(static_cast<T>(step.l2)),
        centred(step.centred) {
    const bool keras = step.variant == OptimizerVariant::keras;
    gain = static_cast<T>(keras ? step.learning_rate : 1);
    rate = static_cast<T>(keras ? 1 : step.learning_rate);
    inside = static_cast<T>(keras ? step.epsilon : 0);
    outside = static_cast<T>(keras ? 0 : step.epsilon);
  }
};

template <class T>
MELGRAD_HOST_DEVICE inline void rmsprop_step(const RmspropNumbers<T>& step, T gradient, T& square, T& mean, T& velocity,
                                             T& weight) {
  const T g = gradient + step.l2 * weight;
  square = step.rho * square + step.square_gain * (g * g);
  mean = step.rho * mean + step.square_gain * g;
  const T spread = step.centred ? square - mean * mean : square;
  velocity = step.momentum * velocity + step.gain * g / (std::sqrt(spread + step.inside) + step.outside);
  weight -= step.rate * velocity;
}

}  // namespace melgrad
