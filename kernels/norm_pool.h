// Batch normalisation, ReLU and max pooling of a convolution's output in one, for training: what follows a convolution in
// SampleCNN and in Choi's networks, without the two intermediate tensors.
//
//   mean, variance: of y over all positions, each channel (the biased variance)
//   y* = the largest y of each pooling window where gamma >= 0, the smallest where gamma < 0
//   z  = f(gamma · (y* - mean) / sqrt(variance + epsilon) + beta),  f = relu or linear
//
// The pool commutes with the rest, because gamma · x + beta and f never decrease where gamma >= 0 and never increase where
// it is negative. Ties, and all of a window where gamma = 0, go to the first position in row order: `argmax` is taken on
// y. Windows do not overlap (stride = size, no padding, no dilation); y may reach beyond the last window, and counts in
// the statistics. y (n, h, w, c); z, pooled = y*, argmax (n, h_out, w_out, c); all else (c).
#pragma once

#include "kernels/cost.h"
#include "kernels/pool2d.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

struct NormPoolProblem {
  Pool2dProblem pool;
  double epsilon = 1e-3;
  bool relu = true;  // or linear
};

// Whether windows are as above, with at most 256 positions (argmax has 8 bits).
bool norm_pool_applies(const Pool2dProblem& pool);

void norm_pool_forward(Stream& stream, const NormPoolProblem& problem, ConstView y, ConstView gamma, ConstView beta,
                       View z, View pooled, View argmax, View mean, View variance);

// dy, dgamma and dbeta from dz and what the forward pass gave. The sum of dy over positions is 0 in exact arithmetic: a
// bias before the normalisation has no gradient.
void norm_pool_backward(Stream& stream, const NormPoolProblem& problem, ConstView y, ConstView gamma, ConstView beta,
                        ConstView mean, ConstView variance, ConstView pooled, ConstView argmax, ConstView dz, View dy,
                        View dgamma, View dbeta);

// Forward: y read once, z and y* written. Backward: y read and dy written once, dz and y* read.
constexpr Cost norm_pool_forward_cost(const Pool2dProblem& p, int64_t element_size) {
  const int64_t inputs = p.n * p.h * p.w * p.c, outputs = p.n * p.h_out() * p.w_out() * p.c;
  return {4 * inputs + 3 * outputs, (inputs + 2 * outputs) * element_size + outputs};
}
constexpr Cost norm_pool_backward_cost(const Pool2dProblem& p, int64_t element_size) {
  const int64_t inputs = p.n * p.h * p.w * p.c, outputs = p.n * p.h_out() * p.w_out() * p.c;
  return {3 * inputs + 6 * outputs, (2 * inputs + 2 * outputs) * element_size + outputs};
}

struct NormPoolFunctions {
  decltype(&norm_pool_forward) forward;
  decltype(&norm_pool_backward) backward;
};

}  // namespace melgrad
