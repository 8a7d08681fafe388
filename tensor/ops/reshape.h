#pragma once

#include "tensor/tensor.h"

namespace melgrad {

// The same elements under another shape; no copy.
Tensor reshape(const Tensor& x, const Shape& shape);

// (n, …) -> (n, product of the rest).
Tensor flatten(const Tensor& x);

}  // namespace melgrad
