#pragma once

#include "kernels/matmul.h"
#include "tensor/tensor.h"

namespace melgrad {

// a (m, k) · b (k, n) -> (m, n). Gradients for both.
Tensor matmul(const Tensor& a, const Tensor& b, MatmulAlgorithm algorithm = MatmulAlgorithm::automatic);

}  // namespace melgrad
