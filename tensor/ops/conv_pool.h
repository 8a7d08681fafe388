#pragma once

#include "kernels/conv_pool.h"
#include "tensor/ops/block.h"

namespace melgrad {

// pool(f(conv(x) + bias)) as one operation, where conv_pool_applies(). x (n, h, w, c), weight (kh, kw, c, o), bias (o) or
// undefined. Gradients for all three, of what is kept for them: x, the result and, of a pool, which positions won.
// options.norm is not looked at.
Tensor conv_pool(const Tensor& x, const Tensor& weight, const Tensor& bias, const BlockOptions& options);

ConvPoolProblem conv_pool_problem(const Shape& x, const Shape& weight, const BlockOptions& options);

}  // namespace melgrad
