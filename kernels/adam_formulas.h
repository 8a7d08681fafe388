// One step of Adam on one element, written once for the reference, the CPU and the CUDA kernels.
#pragma once

#include <cmath>

#include "kernels/adam.h"
#include "kernels/host_device.h"

namespace melgrad {

// The numbers of a step in the type of the weights. Both variants are
//   w ← w - rate · m / (sqrt(v) · root_scale + epsilon)
// and differ in where the correction of v goes: into `rate` (Keras) or into `root_scale` (PyTorch). Powers and the
// small differences 1 - beta are taken in double.
template <class T>
struct AdamNumbers {
  T beta1, beta2, gain1, gain2, rate, root_scale, epsilon, l2;

  explicit AdamNumbers(const AdamStep& step)
      : beta1(static_cast<T>(step.beta1)),
        beta2(static_cast<T>(step.beta2)),
        gain1(static_cast<T>(1 - step.beta1)),
        gain2(static_cast<T>(1 - step.beta2)),
        epsilon(static_cast<T>(step.epsilon)),
        l2(static_cast<T>(step.l2)) {
    const double t = static_cast<double>(step.step);
    const double correction1 = 1 - std::pow(step.beta1, t);
    const double correction2 = std::sqrt(1 - std::pow(step.beta2, t));
    const bool keras = step.variant == OptimizerVariant::keras;
    rate = static_cast<T>(step.learning_rate / correction1 * (keras ? correction2 : 1));
    root_scale = static_cast<T>(keras ? 1 : 1 / correction2);
  }
};

template <class T>
MELGRAD_HOST_DEVICE inline void adam_step(const AdamNumbers<T>& step, T gradient, T& first, T& second, T& weight) {
  const T g = gradient + step.l2 * weight;
  first = step.beta1 * first + step.gain1 * g;
  second = step.beta2 * second + step.gain2 * (g * g);
  weight -= step.rate * first / (std::sqrt(second) * step.root_scale + step.epsilon);
}

// AMSGrad.
template <class T>
MELGRAD_HOST_DEVICE inline void adam_step(const AdamNumbers<T>& step, T gradient, T& first, T& second, T& largest,
                                          T& weight) {
  const T g = gradient + step.l2 * weight;
  first = step.beta1 * first + step.gain1 * g;
  second = step.beta2 * second + step.gain2 * (g * g);
  largest = largest < second ? second : largest;
  weight -= step.rate * first / (std::sqrt(largest) * step.root_scale + step.epsilon);
}

}  // namespace melgrad
