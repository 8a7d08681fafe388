// bf16, the upper half of a float: 8 bits of exponent, 8 of precision (one implied).
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/host_device.h"

namespace melgrad {

// The bits of the nearest bf16; ties go to the even one, as every processor's conversion has it. A NaN stays one.
MELGRAD_HOST_DEVICE inline uint16_t bf16_bits(float value) {
#if defined(__CUDA_ARCH__)
  uint16_t bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
#else
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (value != value) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
#endif
}

inline float float_from_bf16(uint16_t bits) {
  return std::bit_cast<float>(uint32_t{bits} << 16);
}

}  // namespace melgrad
