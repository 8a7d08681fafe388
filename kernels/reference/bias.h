// Reference of the bias: the definition, as loops. See kernels/bias.h.
#pragma once

#include <algorithm>

#include "kernels/bias.h"

namespace melgrad::reference {

template <class T>
void bias_forward(ConstView x, ConstView bias, View y) {
  for (int64_t i = 0; i < x.numel(); ++i) y.as<T>()[i] = x.as<T>()[i] + bias.as<T>()[i % bias.numel()];
}

template <class T>
void bias_backward(ConstView dy, View dbias) {
  std::fill_n(dbias.as<T>(), dbias.numel(), T{0});
  for (int64_t i = 0; i < dy.numel(); ++i) dbias.as<T>()[i % dbias.numel()] += dy.as<T>()[i];
}

}  // namespace melgrad::reference
