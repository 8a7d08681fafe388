// Rows times a matrix of cosines, for kernels/dct.h.
#pragma once

#include <cstdint>

namespace melgrad::cpu {

inline constexpr int64_t dct_padding = 16;  // a multiple of every vector's lanes

// y (rows, coefficients) = x (rows, n) · matrix (n, padded), of which the first `coefficients` columns count.
void dct_rows(const float* x, int64_t rows, int64_t n, const float* matrix, int64_t padded, int64_t coefficients,
              float* y);

}  // namespace melgrad::cpu
