// Optimizer steps: step(gradient, state…, weight), element by element, in place.
//
// Algorithm: a thread takes four neighbouring elements in 16-byte accesses where all arrays start at 16 bytes, and
// strides on by the grid. Bottleneck: global memory; each array is read once and, the gradient aside, written once.
// Launch: blocks of 256 threads, enough to fill the GPU; no shared memory.
#pragma once

#include "kernels/cuda/helpers.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

inline constexpr int update_threads = 256;

// Four elements of `count` arrays, element by element.
template <int count>
struct UpdateQuad {
  float element[4][count];

  __device__ __forceinline__ void set(int array, float4 quad) {
    element[0][array] = quad.x;
    element[1][array] = quad.y;
    element[2][array] = quad.z;
    element[3][array] = quad.w;
  }
  __device__ __forceinline__ float4 get(int array) const {
    return make_float4(element[0][array], element[1][array], element[2][array], element[3][array]);
  }
};

// `states` are the arrays that the step changes, the weight last; it has them as float (&)[sizeof...(states)].
template <bool vectorised, class Step, class... States>
__global__ void __launch_bounds__(update_threads)
    update_kernel(Step step, int64_t n, Global<const float> gradient, States... states) {
  constexpr int count = sizeof...(States);
  int64_t done = 0;
  if constexpr (vectorised) {
    const int64_t quads = n / 4;
    for_each_index(quads, [&](int64_t i) {
      UpdateQuad<count> quad;
      int array = 0;
      (quad.set(array++, vector_cast<float4>(states)[i]), ...);
      const float4 g = vector_cast<const float4>(gradient)[i];
      step(g.x, quad.element[0]);
      step(g.y, quad.element[1]);
      step(g.z, quad.element[2]);
      step(g.w, quad.element[3]);
      array = 0;
      ((vector_cast<float4>(states)[i] = quad.get(array++)), ...);
    });
    done = 4 * quads;
  }
  for_each_index(n - done, [&](int64_t i) {
    float element[count] = {float(states[done + i])...};
    step(gradient[done + i], element);
    int array = 0;
    ((states[done + i] = element[array++]), ...);
  });
}

template <class Step, class... Views>
void update(Stream& stream, Step step, ConstView gradient, const Views&... states) {
  const int64_t n = gradient.numel();
  if (n == 0) return;
  const auto run = [&]<bool vectorised>() {
    launch<update_kernel<vectorised, Step, decltype(global<float>(states))...>>(
        striding_blocks(n, update_threads * (vectorised ? 4 : 1)), update_threads, 0, stream, step, n,
        global<const float>(gradient), global<float>(states)...);
  };
  aligned_for_float4(gradient, states...) ? run.template operator()<true>() : run.template operator()<false>();
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
