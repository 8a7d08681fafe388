// Reference of elementwise arithmetic: the definition, as loops. See kernels/elementwise.h.
#pragma once

#include "kernels/elementwise_formulas.h"
#include "kernels/reference/indexing.h"

namespace melgrad::reference {

template <class T>
void elementwise_binary(Binary operation, ConstView a, ConstView b, View y) {
  with_binary(operation, [&]<Binary f>() {
    for (int64_t i = 0; i < y.numel(); ++i) {
      const Coordinates at = coordinates(y.shape, i);
      y.as<T>()[i] = combine<f>(a.as<T>()[offset(a.shape, y.shape, at)], b.as<T>()[offset(b.shape, y.shape, at)]);
    }
  });
}

template <class T>
void elementwise_scale(double factor, ConstView x, View y) {
  for (int64_t i = 0; i < y.numel(); ++i)
    y.as<T>()[i] = static_cast<T>(factor) * x.as<T>()[offset(x.shape, y.shape, coordinates(y.shape, i))];
}

}  // namespace melgrad::reference
