// Reference of RMSprop: the definition, as a loop. See kernels/rmsprop.h.
#pragma once

#include "kernels/rmsprop_formulas.h"

namespace melgrad::reference {

template <class T>
void rmsprop_update(const RmspropStep& step, ConstView gradient, View square, View mean, View velocity, View weight) {
  const RmspropNumbers<T> numbers(step);
  for (int64_t i = 0; i < weight.numel(); ++i) {
    T no_mean{}, no_velocity{};
    rmsprop_step(numbers, gradient.as<T>()[i], square.as<T>()[i], step.centred ? mean.as<T>()[i] : no_mean,
                 step.momentum != 0 ? velocity.as<T>()[i] : no_velocity, weight.as<T>()[i]);
  }
}

}  // namespace melgrad::reference
