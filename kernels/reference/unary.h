// Reference of the functions of one number: the definition, as loops. See kernels/unary.h.
#pragma once

#include "kernels/unary_formulas.h"

namespace melgrad::reference {

template <class T>
void unary_forward(Unary function, ConstView x, View y) {
  with_unary(function, [&]<Unary f>() {
    for (int64_t i = 0; i < x.numel(); ++i) y.as<T>()[i] = unary_value<f>(x.as<T>()[i]);
  });
}

template <class T>
void unary_backward(Unary function, ConstView x, ConstView dy, View dx) {
  with_unary(function, [&]<Unary f>() {
    for (int64_t i = 0; i < x.numel(); ++i) dx.as<T>()[i] = unary_gradient<f>(x.as<T>()[i], dy.as<T>()[i]);
  });
}

}  // namespace melgrad::reference
