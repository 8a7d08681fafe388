// Batches of real transforms by cuFFT.
#pragma once

#include <cstdint>

#include "kernels/stream.h"

namespace melgrad {
namespace cuda {
// x (batch, n), y (batch, n / 2 + 1) complex numbers, real and imaginary part side by side. x may be overwritten.
void cufft_real_forward(Stream& stream, int64_t n, int64_t batch, float* x, float* y);
}  // namespace cuda
namespace simt {
void cufft_real_forward(Stream& stream, int64_t n, int64_t batch, float* x, float* y);
}
}  // namespace melgrad
