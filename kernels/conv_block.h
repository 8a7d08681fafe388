// A block of a network behind its first: convolution of many channels -> batch norm -> activation -> max pool
// (kernels/block.h), reading and writing memory once where the layers one by one do it six times.
//
// Training keeps y, the convolution's output, for the backward pass, and hands on y* with the batch norm still to be
// applied: whoever reads it computes f(scale · (y* - center) + shift) as it loads (PendingNorm), so z is never stored. dy is
// never stored either: it is rebuilt from y, dz and the winners while both gradients of the convolution load it,
//   dy = scale · (g at the winners - Σg/N - x̂ · Σ(g x̂)/N),   g = dz where f passes it, x̂ = (y - mean)/σ.
// Inference knows the statistics before, so it keeps nothing and writes z.
//
// x (n, h, w, c), weight (kh, kw, c, o), y (n, h_out, w_out, o); pooled = y*, argmax = the winner's place in its window in
// row order, dz (n, pooled h, pooled w, o); gamma, beta, mean, variance, scale, shift (o).
#pragma once

#include "kernels/block.h"

namespace melgrad {

// An affine map of each channel and an activation that have not been applied yet. center, scale, shift (c).
struct PendingNorm {
  ConstView center, scale, shift;
  ActivationChoice activation;
};

// What a block reads: values as they lie, or with the norm of the block before still to be applied.
struct BlockInput {
  ConstView values;
  const PendingNorm* norm = nullptr;
};

// Whether the device has a fused form of this problem: on the CPU 3 columns at stride 1 of 16 channels or more, rows that
// keep their number, windows of the pool as in block.h, and an f that never decreases.
bool conv_block_applies(Device device, const BlockProblem& problem);

// y, y* and its place, the batch's mean and biased variance, and the norm that y* waits for: center = mean, scale and shift
// (beta, and what the rounding of the mean has moved). Statistics as in norm_pool.h.
void conv_block_forward(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView weight,
                        ConstView gamma, ConstView beta, View y, View pooled, View argmax, View mean, View variance,
                        View scale, View shift);

// What the forward pass gave, for the backward pass.
struct BlockState {
  ConstView y, pooled, argmax, mean, variance, scale, shift;
};

// dx is the gradient of what the block read, norm applied; a null view where nobody wants it. Sums over fixed chunks.
void conv_block_backward(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView weight,
                         ConstView gamma, const BlockState& state, ConstView dz, View dx, View dweight, View dgamma,
                         View dbeta);

// z by the statistics given.
void conv_block_infer(Stream& stream, const BlockProblem& problem, ConstView x, ConstView weight, ConstView gamma,
                      ConstView beta, ConstView mean, ConstView variance, View z);

// Forward: x and weight read, y and y* written. Backward: both gradients of the convolution.
constexpr Cost conv_block_forward_cost(const BlockProblem& p, int64_t element_size) {
  const Conv2dProblem& c = p.conv;
  const int64_t y = c.n * c.h_out() * c.w_out() * c.o;
  const int64_t pooled = c.n * p.pool_rows.output(c.h_out()) * p.pool_columns.output(c.w_out()) * c.o;
  return {2 * y * c.taps() * c.c + 4 * y,
          (c.n * c.h * c.w * c.c + c.taps() * c.c * c.o + y + pooled) * element_size + pooled};
}
constexpr Cost conv_block_backward_cost(const BlockProblem& p, int64_t element_size) {
  const Conv2dProblem& c = p.conv;
  const int64_t y = c.n * c.h_out() * c.w_out() * c.o;
  const int64_t pooled = c.n * p.pool_rows.output(c.h_out()) * p.pool_columns.output(c.w_out()) * c.o;
  return {4 * y * c.taps() * c.c + 3 * y,
          (2 * c.n * c.h * c.w * c.c + 2 * c.taps() * c.c * c.o + y + 2 * pooled) * element_size + pooled};
}

struct ConvBlockFunctions {
  bool (*applies)(const BlockProblem&);
  decltype(&conv_block_forward) forward;
  decltype(&conv_block_backward) backward;
  decltype(&conv_block_infer) infer;
};

}  // namespace melgrad
