// Reference of the reductions: the definition, as loops. See kernels/reduce.h.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/reduce.h"
#include "kernels/reference/indexing.h"
#include "kernels/softmax_formulas.h"

namespace melgrad::reference {

template <class T>
void reduce(Reduction reduction, ConstView x, View y) {
  const T* in = x.as<T>();
  T* out = y.as<T>();
  const T start = reduction == Reduction::max ? -std::numeric_limits<T>::infinity() : T{0};
  std::fill_n(out, y.numel(), start);
  for (int64_t i = 0; i < x.numel(); ++i) {
    T& total = out[offset(y.shape, x.shape, coordinates(x.shape, i))];
    total = reduction == Reduction::max ? larger(total, in[i]) : total + in[i];
  }
  if (reduction != Reduction::mean) return;
  for (int64_t i = 0; i < y.numel(); ++i) out[i] /= static_cast<T>(x.numel() / y.numel());
}

template <class T>
void reduce_max_backward(ConstView x, ConstView y, ConstView dy, View dx) {
  std::vector<bool> found(static_cast<std::size_t>(y.numel()));
  for (int64_t i = 0; i < x.numel(); ++i) {
    const int64_t output = offset(y.shape, x.shape, coordinates(x.shape, i));
    const T value = x.as<T>()[i], maximum = y.as<T>()[output];
    const auto at = static_cast<std::size_t>(output);
    const bool first = !found[at] && (value == maximum || (value != value && maximum != maximum));
    dx.as<T>()[i] = first ? dy.as<T>()[output] : T{0};
    if (first) found[at] = true;
  }
}

}  // namespace melgrad::reference
