// Direct convolutions on the CPU: sums of products in registers, operands read where they lie, no matrix of patches.
//
// Rows of the input with zeros around them (copied a block at a time where there is padding) are a matrix whose row j is
// x[j … j + kw - 1, :], contiguous, each next row starting c floats later; a row of taps is a product with it, and kh of them
// add up in one tile (direct_tile-inl.h). The gradient of the data is the same of dy and the weights turned round. The
// gradient of the weight sums outer products of such rows and dy. Of few output channels, at most half a vector, vectors
// lie along pixels: the block is turned to planes first. (Of a whole vector, turning costs more than the broadcast that each
// multiply-add then takes.)
//
// Problems: stride and dilation 1, one group. Cost: the definition's multiply-adds; of memory, x and y once. Bottleneck:
// multiply-adds from about 8 channels on, below that the stores of y.
//
// A block of rows is all there is at a time, so bias, activation and max pool take place in cache, and the gradient of y is
// rebuilt there from that of z (kernels/conv_pool.h).
#pragma once

#include "kernels/conv_pool.h"

namespace melgrad::cpu {

bool direct_applies(const Conv2dProblem& problem);
// Whether its weights are few enough: up to 2048 products an output, beyond which they come from far for every tile, and 2¹⁸
// in all, whose partial sums of eight chunks stay in the caches.
bool direct_suits(const Conv2dProblem& problem);

// A problem of one row turned to one of one column, the same memory: blocks are cut along rows.
ConvPoolProblem as_one_column(ConvPoolProblem problem);

// Rows of a block, of `rows` in all, each standing for `step` of y: y's and x's part fill half a small L2 cache, and there
// are tasks enough. Depends on the sizes alone, never on threads.
int64_t direct_rows_per_block(const Conv2dProblem& problem, int64_t rows, int64_t step);

// conv_pool.h's operations in f32. bias, argmax, dx, dweight and dbias may be null.
void direct_forward(Stream& stream, const ConvPoolProblem& problem, const float* x, const float* weight,
                    const float* bias, float* z, int32_t* argmax);
void direct_backward(Stream& stream, const ConvPoolProblem& problem, const float* x, const float* weight,
                     const float* z, const int32_t* argmax, const float* dz, float* dx, float* dweight, float* dbias);

}  // namespace melgrad::cpu
