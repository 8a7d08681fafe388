// Reference of the matrix product: the definition, as loops. See kernels/matmul.h.
#pragma once

#include "kernels/matmul.h"

namespace melgrad::reference {

template <class T>
void matmul(const MatmulProblem& p, ConstView a, ConstView b, View c) {
  const T* left = a.as<T>();
  const T* right = b.as<T>();
  T* out = c.as<T>();
  for (int64_t i = 0; i < p.m; ++i)
    for (int64_t j = 0; j < p.n; ++j) {
      T sum = 0;
      for (int64_t s = 0; s < p.k; ++s)
        sum += left[p.transpose_a ? s * p.m + i : i * p.k + s] * right[p.transpose_b ? j * p.k + s : s * p.n + j];
      out[i * p.n + j] = sum;
    }
}

}  // namespace melgrad::reference
