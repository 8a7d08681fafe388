// Rows of classes, one warp a row: what softmax and its cross-entropies share.
//
// Algorithm: the lanes of a warp stride over the classes of their row; five shuffles make the lanes' results the row's,
// in a fixed order, so the bits are the same every time. A row that is walked again comes from the cache.
// Bottleneck: global memory for many classes; for few (ten leave 22 lanes of each warp idle) the launch itself, which
// is what the losses of classifiers of this size cost anyway.
// Launch: blocks of 4 warps; no shared memory.
#pragma once

#include "kernels/cuda/helpers.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

inline constexpr int row_warps = 4;
inline constexpr int row_threads = row_warps * 32;

__device__ __forceinline__ int64_t row_of_warp() {
  return int64_t{blockIdx.x} * row_warps + threadIdx.x / 32;
}
__device__ __forceinline__ int row_lane() {
  return static_cast<int>(threadIdx.x % 32);
}

// body(i) for the classes of this lane.
template <class Body>
__device__ __forceinline__ void for_each_class(int64_t classes, const Body& body) {
  for (int64_t i = row_lane(); i < classes; i += 32) body(i);
}

// Σ term(i) over the row, in every lane.
template <class Term>
__device__ __forceinline__ float row_sum(int64_t classes, const Term& term) {
  float sum = 0.0f;
  for_each_class(classes, [&](int64_t i) { sum += term(i); });
  return warp_reduce(sum, Sum());
}

struct RowSoftmax {
  float maximum, sum;  // max x, Σ exp(x - max x)
};

// y = softmax(x) for one row.
__device__ __forceinline__ RowSoftmax softmax_of_row(Global<const float> x, Global<float> y, int64_t classes) {
  float maximum = -INFINITY;
  for_each_class(classes, [&](int64_t i) { maximum = larger(maximum, float(x[i])); });
  maximum = warp_reduce(maximum, Maximum());
  const float sum = row_sum(classes, [&](int64_t i) { return expf(x[i] - maximum); });
  for_each_class(classes, [&](int64_t i) { y[i] = expf(x[i] - maximum) / sum; });
  return {maximum, sum};
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
