#pragma once

#include "kernels/first_block.h"
#include "tensor/ops/block.h"

namespace melgrad {

// Convolution of one input channel, batch norm, activation and max pool as one operation: see kernels/first_block.h for
// what it takes. Training normalises by the batch's statistics and updates the running ones; gradients for x, weight, gamma,
// beta and bias. Inference normalises by the running ones and has no gradient.
Tensor first_block_train(const Tensor& x, BlockTensors tensors, const BlockOptions& options);
Tensor first_block_infer(const Tensor& x, const BlockTensors& tensors, const BlockOptions& options);

}  // namespace melgrad
