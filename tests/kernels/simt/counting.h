// What the counting tests share: arrays, and what a launch counts.
#pragma once

#include <doctest/doctest.h>

#include <vector>

#include "kernels/memory.h"
#include "kernels/simt/language.h"

namespace melgrad::simt {

inline Stream& stream() {
  return default_stream(Device::simt);
}

// Numbers 0, 1, 2, … on the device; memory of its own, aligned as cudaMalloc aligns.
struct Array {
  explicit Array(int64_t n)
      : buffer(arena(Device::simt).allocate(n * 4)), view{buffer.data(), Shape{n}, DType::f32, Device::simt} {
    std::vector<float> values(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    set(values);
  }
  void set(const std::vector<float>& values) { copy({values.data(), view.shape}, view); }
  Buffer buffer;
  View view;
};

inline constexpr Watch counts{.counts = true}, with_branches{.counts = true, .branches = true};

// What a launch of one kernel counts.
template <auto kernel, class... Arguments>
KernelCounts count(Watch watch, dim3 grid, dim3 block, int64_t shared_bytes, Arguments... arguments) {
  const Recording recording(watch);
  launch<kernel>(grid, block, shared_bytes, stream(), arguments...);
  REQUIRE(recording.kernels().size() == 1);
  return recording.kernels()[0];
}

// A kernel whose lanes stay together.
inline __global__ void uniform_kernel(Global<const float> x, Global<float> y) {
  float sum = 0;
  for (int k = 0; k < 4; ++k) sum += x[32 * k + static_cast<int>(threadIdx.x)];
  y[threadIdx.x] = sum;
}

}  // namespace melgrad::simt
