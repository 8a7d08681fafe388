// The fused blocks of kernels/conv_block.h on Winograd's F(m, 3), on the CPU. Where and how a convolution's tiles are cut
// is kernels/cpu/winograd.h's.
#pragma once

#include "kernels/conv_block.h"
#include "kernels/cpu/winograd.h"

namespace melgrad::cpu {

// y and dx beyond this go past the caches: what these hold would be gone before the next pass reads it.
constexpr int64_t cached_bytes = int64_t{8} << 20;

// The taps of a first block that a block computes as it reads; one more costs an instance of the loop in each of them.
constexpr int64_t most_read_taps = 5, most_read_products = 16;

// All of f32, problems turned on their side (as_one_row).
void block_forward(Stream& stream, const BlockProblem& problem, const BlockInput& x, const float* weight,
                   const float* gamma, const float* beta, float* y, float* pooled, uint8_t* argmax, float* mean,
                   float* variance, float* scale, float* shift);
int64_t block_folded_size(const BlockProblem& problem);
void block_fold(Stream& stream, const BlockProblem& problem, const float* weight, const float* gamma, const float* beta,
                const float* mean, const float* variance, float* folded);
void block_infer(Stream& stream, const BlockProblem& problem, const BlockInput& x, const float* folded, float* z);
void block_backward(Stream& stream, const BlockProblem& problem, const BlockInput& x, const float* weight,
                    const float* gamma, const BlockState& state, const float* dz, float* dx, float* dweight,
                    float* dgamma, float* dbeta);

}  // namespace melgrad::cpu
