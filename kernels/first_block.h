// The first block of a network on a single channel, such as samples or a spectrogram: convolution -> batch norm ->
// activation -> max pool (kernels/block.h) in one pass over x. The convolution's output y, the largest tensor of such a
// network, is never stored.
//
// With one input channel y is a product with patches of a few numbers, y[t, o] = Σₖ w[k, o] · x[t + k], so its mean and
// variance follow from the patches' own mean m (k) and covariance C (k × k):
//   mean[o] = Σₖ w[k, o] m[k],   variance[o] = Σₖₗ w[k, o] C[k, l] w[l, o].
// The same moments hold all that the weight gradient needs of positions that are not their window's winner: with
// g = dz where f passes it, at the winners, S[k] = Σ g · x[t + k] over them, G = Σ g and X = Σ g · (y* - mean)/σ,
//   dw[k, o] = scale · (S[k] - G · m[k] - X/σ · Σₗ C[k, l] w[l, o]),   dgamma = X,   dbeta = G.
// Which position of a window wins is found again from x. dx, where somebody wants it, gets w[k] · scale · g from the winners
// and, y being a product with x, from all positions the same taps × taps numbers of their patch.
//
// x (n, h, w, 1), weight (kh, kw, 1, o), z (n, pooled h, pooled w, o); gamma, beta, mean, variance (o). moments: f64,
// (1 + k)·k numbers, m and then C, padding counted as zeros.
#pragma once

#include "kernels/block.h"

namespace melgrad {

// Whether conv has one input channel and at most 16 taps, windows of the pool are block.h's, and f never decreases.
bool first_block_applies(const BlockProblem& problem);

Shape first_block_moments_shape(const BlockProblem& problem);

// The batch's mean and (biased) variance of y, and the moments of x that give them.
void first_block_statistics(Stream& stream, const BlockProblem& problem, ConstView x, ConstView weight, View mean,
                            View variance, View moments);

// z from any mean and variance: the batch's own in training, running ones in inference.
void first_block_forward(Stream& stream, const BlockProblem& problem, ConstView x, ConstView weight, ConstView gamma,
                         ConstView beta, ConstView mean, ConstView variance, View z);

// Training's gradients, through mean and variance too. dx is a null view where nobody wants it. Sums go over fixed chunks,
// in order.
void first_block_backward(Stream& stream, const BlockProblem& problem, ConstView x, ConstView weight, ConstView gamma,
                          ConstView beta, ConstView mean, ConstView variance, ConstView moments, ConstView dz, View dx,
                          View dweight, View dgamma, View dbeta);

// Forward: the convolution's products, x and weight read, z written. Backward: y again and the winners' products.
constexpr Cost first_block_forward_cost(const BlockProblem& p, int64_t element_size) {
  const Conv2dProblem& c = p.conv;
  const int64_t pooled = c.n * p.pool_rows.output(c.h_out()) * p.pool_columns.output(c.w_out()) * c.o;
  return {2 * c.n * c.h_out() * c.w_out() * c.o * c.taps() + 3 * pooled, (c.n * c.h * c.w + pooled) * element_size};
}
constexpr Cost first_block_backward_cost(const BlockProblem& p, int64_t element_size) {
  const Conv2dProblem& c = p.conv;
  const int64_t pooled = c.n * p.pool_rows.output(c.h_out()) * p.pool_columns.output(c.w_out()) * c.o;
  return {2 * (c.n * c.h_out() * c.w_out() * c.o + pooled) * c.taps(), (c.n * c.h * c.w + pooled) * element_size};
}

struct FirstBlockFunctions {
  decltype(&first_block_statistics) statistics;
  decltype(&first_block_forward) forward;
  decltype(&first_block_backward) backward;
};

}  // namespace melgrad
