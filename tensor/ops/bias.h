#pragma once

#include "kernels/bias.h"
#include "tensor/tensor.h"

namespace melgrad {

// x (…, c) + bias (c), along the last axis. Gradients for both.
Tensor add_bias(const Tensor& x, const Tensor& bias);

}  // namespace melgrad
