// Reference of SGD: the definition, as a loop. See kernels/sgd.h.
#pragma once

#include "kernels/sgd_formulas.h"

namespace melgrad::reference {

template <class T>
void sgd_update(const SgdStep& step, ConstView gradient, View velocity, View weight) {
  const SgdNumbers<T> numbers(step);
  const T* g = gradient.as<T>();
  T* w = weight.as<T>();
  if (step.momentum == 0) {
    for (int64_t i = 0; i < weight.numel(); ++i) sgd_step(numbers, g[i], w[i]);
    return;
  }
  T* v = velocity.as<T>();
  with_sgd(step, [&]<OptimizerVariant variant, bool nesterov>() {
    for (int64_t i = 0; i < weight.numel(); ++i) sgd_step<variant, nesterov>(numbers, g[i], v[i], w[i]);
  });
}

}  // namespace melgrad::reference
