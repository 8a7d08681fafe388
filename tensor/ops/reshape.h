#pragma once

#include "tensor/tensor.h"

namespace melgrad {

// The same elements under another shape; no copy.
Tensor reshape(const Tensor& x, const Shape& shape);

// (n, …) -> (n, product of the rest).
Tensor flatten(const Tensor& x);

// An operation 1-D as the 2-D one on a width of 1: x (n, l, c) goes in as (n, l, 1, c), the result comes back likewise.
template <class Body>
Tensor over_width_one(const char* operation, const Tensor& x, const Body& body) {
  if (x.shape().rank() != 3) fail("{}: x is {}, expected (n, l, c)", operation, x.shape().to_string());
  const Tensor y = body(reshape(x, {x.shape()[0], x.shape()[1], 1, x.shape()[2]}));
  return reshape(y, {y.shape()[0], y.shape()[1], y.shape()[3]});
}

}  // namespace melgrad
