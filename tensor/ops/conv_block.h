#pragma once

#include <optional>

#include "kernels/conv_block.h"
#include "tensor/ops/block.h"

namespace melgrad {

// What a block hands on in training: y* with its norm still to be applied (kernels/conv_block.h). On the tape `values`
// stands for z = f(scale · (values - center) + shift): the gradient that flows to it is z's.
struct PendingBlock {
  Tensor values;
  Tensor center{}, scale{}, shift{};  // undefined: the values are z already
  ActivationChoice activation = Activation::linear;
};

// z itself, for whoever cannot take the norm in.
Tensor apply_norm(const PendingBlock& x);

// Convolution, batch norm, activation and max pool as one operation, where conv_block_applies(). Training updates the
// running statistics; gradients for x, weight, gamma, beta and bias. Inference has none.
PendingBlock conv_block_train(const PendingBlock& x, BlockTensors tensors, const BlockOptions& options);
Tensor conv_block_infer(const Tensor& x, const BlockTensors& tensors, const BlockOptions& options);

}  // namespace melgrad
