// The keep rule of dropout, written once for the reference, the CPU and the CUDA kernels.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/host_device.h"

namespace melgrad {

// A uniform number is k · 2^-24 with k the upper 24 bits of a random word (uniform_from in kernels/philox.h), so
// "uniform >= rate" is "k >= ceil(rate · 2^24)": integers, which no device rounds differently.
inline uint32_t dropout_threshold(double rate) {
  return static_cast<uint32_t>(std::ceil(rate * 0x1.0p24));
}

MELGRAD_HOST_DEVICE constexpr bool dropout_keeps(uint32_t word, uint32_t threshold) {
  return word >> 8 >= threshold;
}

template <class T>
MELGRAD_HOST_DEVICE constexpr T drop_out(T x, T scale, uint32_t word, uint32_t threshold) {
  return dropout_keeps(word, threshold) ? x * scale : T{0};
}

}  // namespace melgrad
