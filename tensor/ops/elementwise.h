#pragma once

#include "kernels/elementwise.h"
#include "tensor/tensor.h"

namespace melgrad {

// NumPy's broadcasting. Gradients for both; an input that was repeated gets the sum.
Tensor add(const Tensor& a, const Tensor& b);
Tensor subtract(const Tensor& a, const Tensor& b);
Tensor multiply(const Tensor& a, const Tensor& b);
Tensor divide(const Tensor& a, const Tensor& b);

// factor · x.
Tensor scale(const Tensor& x, double factor);

inline Tensor operator+(const Tensor& a, const Tensor& b) {
  return add(a, b);
}
inline Tensor operator-(const Tensor& a, const Tensor& b) {
  return subtract(a, b);
}
inline Tensor operator*(const Tensor& a, const Tensor& b) {
  return multiply(a, b);
}
inline Tensor operator/(const Tensor& a, const Tensor& b) {
  return divide(a, b);
}
inline Tensor operator*(double factor, const Tensor& x) {
  return scale(x, factor);
}
inline Tensor operator-(const Tensor& x) {
  return scale(x, -1);
}

}  // namespace melgrad
