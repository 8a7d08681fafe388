// Parts of the first block (kernels/first_block.h) on the CPU.
#pragma once

#include "kernels/first_block.h"

namespace melgrad::cpu {

// first_block_statistics in f32, of a problem turned on its side (as_one_row).
void first_block_moments(Stream& stream, const BlockProblem& problem, const float* x, const float* weight, float* mean,
                         float* variance, double* moments);

}  // namespace melgrad::cpu
