// Cosine transforms on the CPU: coefficients across the lanes, eight rows at a time so that each vector of the matrix is
// used eight times.
#include "kernels/cpu/dct.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/dct.cpp"
#include <hwy/foreach_target.h>
// Below foreach_target.h, which includes this file again for each target.
#include <algorithm>

#include "kernels/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

template <int rows>
void few_rows(const float* x, int64_t n, const float* matrix, int64_t padded, int64_t coefficients, float* y) {
  const FloatTag d;
  for (int64_t first = 0; first < coefficients; first += vector_lanes) {
    Vector sum[rows];
    unroll<rows>([&](auto i) MELGRAD_INLINE_LAMBDA { sum[i] = hn::Zero(d); });
    for (int64_t t = 0; t < n; ++t) {
      const Vector cosines = hn::LoadU(d, matrix + t * padded + first);
      unroll<rows>([&](auto i)
                       MELGRAD_INLINE_LAMBDA { sum[i] = hn::MulAdd(hn::Set(d, x[i * n + t]), cosines, sum[i]); });
    }
    HWY_ALIGN float row[vector_lanes];
    unroll<rows>([&](auto i) MELGRAD_INLINE_LAMBDA {
      hn::Store(sum[i], d, row);
      std::copy_n(row, std::min<int64_t>(vector_lanes, coefficients - first), y + i * coefficients + first);
    });
  }
}

void rows_by_matrix(const float* x, int64_t rows, int64_t n, const float* matrix, int64_t padded, int64_t coefficients,
                    float* y) {
  constexpr int together = 8;
  int64_t row = 0;
  for (; row + together <= rows; row += together)
    few_rows<together>(x + row * n, n, matrix, padded, coefficients, y + row * coefficients);
  for (; row < rows; ++row) few_rows<1>(x + row * n, n, matrix, padded, coefficients, y + row * coefficients);
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {

HWY_EXPORT(rows_by_matrix);

void dct_rows(const float* x, int64_t rows, int64_t n, const float* matrix, int64_t padded, int64_t coefficients,
              float* y) {
  HWY_DYNAMIC_DISPATCH(rows_by_matrix)(x, rows, n, matrix, padded, coefficients, y);
}

}  // namespace melgrad::cpu
#endif
