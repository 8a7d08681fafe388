// Reference of dropout: the definition, as a loop. See kernels/dropout.h.
#pragma once

#include "kernels/dropout.h"
#include "kernels/dropout_formulas.h"

namespace melgrad::reference {

template <class T>
void dropout(double rate, const Philox& random, ConstView x, View y) {
  const T* in = x.as<T>();
  T* out = y.as<T>();
  const uint32_t threshold = dropout_threshold(rate);
  const T scale = static_cast<T>(1 / (1 - rate));
  for (int64_t i = 0; i < x.numel(); ++i)
    out[i] = drop_out(in[i], scale, random.word(static_cast<uint64_t>(i)), threshold);
}

}  // namespace melgrad::reference
