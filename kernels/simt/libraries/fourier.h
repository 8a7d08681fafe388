// Fourier transforms in f64, of any size: what cuFFT's stand-in computes with.
#pragma once

#include <complex>
#include <cstdint>
#include <span>
#include <vector>

namespace melgrad::simt {

// x of row-major `sizes` becomes X[k] = Σ_j x[j] exp(direction · 2πi (j₀k₀/n₀ + j₁k₁/n₁ + …)), direction -1 or 1.
void fourier_transform(std::vector<std::complex<double>>& x, std::span<const int64_t> sizes, int direction);

}  // namespace melgrad::simt
