// Reference of Adam: the definition, as a loop. See kernels/adam.h.
#pragma once

#include "kernels/adam_formulas.h"

namespace melgrad::reference {

template <class T>
void adam_update(const AdamStep& step, ConstView gradient, View first_moment, View second_moment, View weight) {
  const AdamNumbers<T> numbers(step);
  for (int64_t i = 0; i < weight.numel(); ++i)
    adam_step(numbers, gradient.as<T>()[i], first_moment.as<T>()[i], second_moment.as<T>()[i], weight.as<T>()[i]);
}

}  // namespace melgrad::reference
