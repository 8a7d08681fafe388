// Reference of Adam: the definition, as a loop. See kernels/adam.h.
#pragma once

#include "kernels/adam_formulas.h"

namespace melgrad::reference {

template <class T>
void adam_update(const AdamStep& step, ConstView gradient, View first_moment, View second_moment,
                 View largest_second_moment, View weight) {
  const AdamNumbers<T> numbers(step);
  const T* g = gradient.as<T>();
  T *first = first_moment.as<T>(), *second = second_moment.as<T>(), *w = weight.as<T>();
  if (step.amsgrad) {
    T* largest = largest_second_moment.as<T>();
    for (int64_t i = 0; i < weight.numel(); ++i) adam_step(numbers, g[i], first[i], second[i], largest[i], w[i]);
  } else {
    for (int64_t i = 0; i < weight.numel(); ++i) adam_step(numbers, g[i], first[i], second[i], w[i]);
  }
}

}  // namespace melgrad::reference
