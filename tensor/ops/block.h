// What the fused blocks of a network (kernels/block.h) share as operations on tensors.
#pragma once

#include "kernels/block.h"
#include "tensor/ops/batch_norm.h"

namespace melgrad {

// The layers of a block. x (n, h, w, c), weight (kh, kw, c, o); the rest (o). `bias`, the convolution's own, may be
// undefined: in training it moves the running mean alone (the batch's mean takes it out again) and its gradient is 0.
struct BlockTensors {
  Tensor weight, bias, gamma, beta;
  Tensor running_mean, running_variance;
};

struct BlockOptions {
  Window rows, columns;            // of the convolution; their sizes come from the weight
  Window pool_rows, pool_columns;  // 1 by 1 where nothing is pooled
  ActivationChoice activation = Activation::relu;
  BatchNormOptions norm;
};

BlockProblem block_problem(const Shape& x, const Shape& weight, const BlockOptions& options);

// Moves the running statistics towards a batch's, once a pass.
void update_running(const BlockProblem& problem, const BlockOptions& options, const Tensor& mean,
                    const Tensor& variance, BlockTensors& tensors);

// The mean that inference takes from y without its bias: the running mean less the bias.
Tensor mean_without_bias(const BlockTensors& tensors);

}  // namespace melgrad
