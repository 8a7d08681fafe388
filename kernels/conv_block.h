// A block of a network behind its first: convolution of many channels -> batch norm -> activation -> max pool
// (kernels/block.h), reading and writing memory once where the layers one by one do it six times.
//
// Training keeps y, the convolution's output, for the backward pass, and hands on y* with the batch norm still to be
// applied: whoever reads it computes f(scale · (y* - center) + shift) as it loads (PendingNorm), so z is never stored. dy is
// never stored either: it is rebuilt from y, dz and the winners while both gradients of the convolution load it,
//   dy = scale · (g at the winners - Σg/N - x̂ · Σ(g x̂)/N),   g = dz where f passes it, x̂ = (y - mean)/σ.
// Inference knows the statistics before: they are folded into the weights, once for many calls, and z is written.
//
// What a block reads may itself be a first block (first_block.h), which is then computed as it is needed and never stored:
// 3 numbers of x and 9 multiply-adds make one of SampleCNN's, where reading it back takes longer.
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

// A first block by its statistics; views as in first_block.h.
struct FirstBlockInput {
  BlockProblem problem;
  ConstView weight, gamma, beta, mean, variance;
};

// What a block reads: values as they lie, or with the norm of the block before still to be applied, or what a first block
// makes of them.
struct BlockInput {
  ConstView values;
  const PendingNorm* norm = nullptr;
  const FirstBlockInput* first = nullptr;
};

// Whether the device has a fused form of this problem: windows of the pool as in block.h, an f that never decreases, no
// groups; on the CPU also 3 columns at stride 1 of 16 channels or more and rows that keep their number, on the others
// windows of at most 64 positions.
bool conv_block_applies(Device device, const BlockProblem& problem);
// Whether it can read such a first block: only on the CPU, a signal's of at most 5 taps and 16 multiply-adds a number.
bool conv_block_reads_first(Device device, const BlockProblem& problem, const BlockProblem& first);

// y, y* and its place, the batch's mean and biased variance, and the norm that y* waits for: center = mean, scale and shift
// (beta, and what the rounding of the mean has moved). Statistics as in norm_pool.h.
void conv_block_forward(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView weight,
                        ConstView gamma, ConstView beta, View y, View pooled, View argmax, View mean, View variance,
                        View scale, View shift);

// What the forward pass gave, for the backward pass.
struct BlockState {
  ConstView y, pooled, argmax, mean, variance, scale, shift;
};

// dx is the gradient of what the block read, norm applied or first block computed; a null view where nobody wants it. Sums
// over fixed chunks.
void conv_block_backward(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView weight,
                         ConstView gamma, const BlockState& state, ConstView dz, View dx, View dweight, View dgamma,
                         View dbeta);

// What inference by given statistics needs of a block's layers, as the device's algorithm wants it:
//   z = f(max over a window of (x * (scale · weight)) + beta - scale · mean),   scale = gamma / sqrt(variance + epsilon).
// `folded` has conv_block_folded_size() elements; it serves any batch size.
int64_t conv_block_folded_size(Device device, const BlockProblem& problem);
void conv_block_fold(Stream& stream, const BlockProblem& problem, ConstView weight, ConstView gamma, ConstView beta,
                     ConstView mean, ConstView variance, View folded);
void conv_block_infer(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView folded, View z);

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
  bool (*applies)(const BlockProblem&);  // to a problem that block.h's conditions hold for
  bool (*reads_first)(const BlockProblem& problem, const BlockProblem& first);
  decltype(&conv_block_forward) forward;
  decltype(&conv_block_backward) backward;
  int64_t (*folded_size)(const BlockProblem&);
  decltype(&conv_block_fold) fold;
  decltype(&conv_block_infer) infer;
};

}  // namespace melgrad
