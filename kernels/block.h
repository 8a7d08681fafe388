// A block of a network: convolution -> batch norm -> activation -> max pool, as one problem. Its fused forms are
// first_block.h (one input channel) and conv_block.h.
//
// The pool commutes with batch norm and an activation f that never decreases:
//   z = f(scale · (y* - mean) + beta),   scale = gamma / sqrt(variance + epsilon),
//   y* = the largest y of a window where gamma >= 0, the smallest where gamma < 0.
// So only one y of a window is normalised. Ties, and all of a window where gamma = 0, go to the window's first position in
// row order, by y: that is the definition, where rounding in the layers one by one may break ties otherwise.
#pragma once

#include "kernels/activation.h"
#include "kernels/conv2d.h"
#include "kernels/pool2d.h"

namespace melgrad {

struct BlockProblem {
  Conv2dProblem conv;
  Window pool_rows, pool_columns;  // stride = size, no padding, no dilation; 1 by 1 where nothing is pooled
  double epsilon = 1e-3;
  ActivationChoice activation = Activation::relu;  // linear, relu, leaky_relu or elu
  // Whether mean and variance are the batch's own, so that gradients go through them; constants otherwise.
  bool own_statistics = true;

  Pool2dProblem pool() const { return {conv.n, conv.h_out(), conv.w_out(), conv.o, pool_rows, pool_columns}; }
  int64_t positions() const { return conv.n * conv.h_out() * conv.w_out(); }  // of y: what the statistics are over
};

// The same block where both its convolution and its pool lie along one axis, as as_one_row() turns a convolution.
inline BlockProblem as_one_row(BlockProblem block) {
  const Conv2dProblem turned = as_one_row(block.conv);
  if (turned == block.conv || block.pool_columns != Window{}) return block;
  std::swap(block.pool_rows, block.pool_columns);
  block.conv = turned;
  return block;
}

constexpr bool never_decreases(Activation function) {
  return function == Activation::linear || function == Activation::relu || function == Activation::leaky_relu ||
         function == Activation::elu;
}

}  // namespace melgrad
