#pragma once

#include "kernels/unary.h"
#include "tensor/tensor.h"

namespace melgrad {

// f(x), element by element, with its gradient. See kernels/unary.h for the functions.
Tensor unary(Unary function, const Tensor& x);

inline Tensor exp(const Tensor& x) {
  return unary(Unary::exp, x);
}
inline Tensor log(const Tensor& x) {
  return unary(Unary::log, x);
}
inline Tensor sqrt(const Tensor& x) {
  return unary(Unary::sqrt, x);
}
inline Tensor square(const Tensor& x) {
  return unary(Unary::square, x);
}
inline Tensor abs(const Tensor& x) {
  return unary(Unary::abs, x);
}

}  // namespace melgrad
