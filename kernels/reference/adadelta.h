// Reference of Adadelta: the definition, as a loop. See kernels/adadelta.h.
#pragma once

#include "kernels/adadelta_formulas.h"

namespace melgrad::reference {

template <class T>
void adadelta_update(const AdadeltaStep& step, ConstView gradient, View square, View update, View weight) {
  const AdadeltaNumbers<T> numbers(step);
  for (int64_t i = 0; i < weight.numel(); ++i)
    adadelta_step(numbers, gradient.as<T>()[i], square.as<T>()[i], update.as<T>()[i], weight.as<T>()[i]);
}

}  // namespace melgrad::reference
