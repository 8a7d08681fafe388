// Element-wise operations: y[i] = formula(a[i], b[i], …).
//
// Algorithm: a thread takes four neighbouring elements, 16-byte loads and one 16-byte store, and strides on by the grid;
// what is left of four goes one by one. Views that do not start at 16 bytes go one by one throughout.
// Bottleneck: global memory.
// Launch: blocks of 256 threads, enough to fill the GPU; no shared memory.
#pragma once

#include "kernels/cuda/helpers.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

inline constexpr int map_threads = 256;

template <class Formula, class... Quads>
__device__ __forceinline__ float4 apply_to_quads(const Formula& formula, Quads... quads) {
  return make_float4(formula(quads.x...), formula(quads.y...), formula(quads.z...), formula(quads.w...));
}

template <bool vectorised, class Formula, class... Inputs>
__global__ void __launch_bounds__(map_threads)
    map_kernel(Formula formula, int64_t n, Global<float> y, Inputs... inputs) {
  int64_t done = 0;
  if constexpr (vectorised) {
    const int64_t quads = n / 4;
    for_each_index(quads, [&](int64_t i) {
      vector_cast<float4>(y)[i] = apply_to_quads(formula, float4(vector_cast<const float4>(inputs)[i])...);
    });
    done = 4 * quads;
  }
  for_each_index(n - done, [&](int64_t i) { y[done + i] = formula(float(inputs[done + i])...); });
}

// y may be one of the inputs.
template <class Formula, class... Views>
void map(Stream& stream, Formula formula, View y, const Views&... inputs) {
  const int64_t n = y.numel();
  if (n == 0) return;
  const auto run = [&]<bool vectorised>() {
    launch<map_kernel<vectorised, Formula, decltype(global<const float>(inputs))...>>(
        striding_blocks(n, map_threads * (vectorised ? 4 : 1)), map_threads, 0, stream, formula, n, global<float>(y),
        global<const float>(inputs)...);
  };
  aligned_for_float4(y, inputs...) ? run.template operator()<true>() : run.template operator()<false>();
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
