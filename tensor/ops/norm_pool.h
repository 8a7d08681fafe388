#pragma once

#include "kernels/norm_pool.h"
#include "tensor/ops/batch_norm.h"

namespace melgrad {

// batch_norm_train(y + bias), ReLU or nothing, then max_pool2d: one operation, equal to rounding to the three; see
// kernels/norm_pool.h for the windows it takes. y (n, h, w, c); gamma, beta and the running statistics (c). `bias` (c),
// where it is defined, moves the running mean alone: the batch's mean takes it out again, and its gradient is exactly 0.
// Gradients for y, gamma, beta and bias.
Tensor norm_pool_train(const Tensor& y, const Tensor& gamma, const Tensor& beta, const Tensor& bias,
                       Tensor& running_mean, Tensor& running_variance, const BatchNormOptions& options,
                       const Window& rows, const Window& columns, bool relu);

}  // namespace melgrad
