// TF32, the tensor cores' format for f32: 8 bits of exponent and 10 of mantissa.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace melgrad::simt {

// To the nearest, ties to even: cuBLAS's documentation, cublasMath_t: "Note that input conversions round to nearest even."
inline float round_to_tf32(float value) {
  if (!std::isfinite(value)) return value;
  constexpr uint32_t dropped = 13, half = 1u << (dropped - 1);
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return std::bit_cast<float>((bits + (half - 1) + (bits >> dropped & 1)) >> dropped << dropped);
}

}  // namespace melgrad::simt
