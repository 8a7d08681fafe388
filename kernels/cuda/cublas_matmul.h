// Matrix product by cuBLAS, in f32 (no TF32).
#pragma once

#include "kernels/matmul.h"

namespace melgrad {
namespace cuda {
void cublas_matmul(const MatmulProblem& problem, const float* a, const float* b, float* c);
}
namespace simt {
void cublas_matmul(const MatmulProblem& problem, const float* a, const float* b, float* c);
}
}  // namespace melgrad
