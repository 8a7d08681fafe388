// What kernels share: how threads walk over an array, how the lanes of a warp combine what they have, and index
// arithmetic without divisions.
#pragma once

#include <bit>

#include "kernels/cuda/portability.h"
#include "kernels/softmax_formulas.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

// Calls body(i) for each i < n. Neighbouring threads take neighbouring elements, so that a warp's accesses share
// sectors, and go on a whole grid further.
template <class Body>
__device__ __forceinline__ void for_each_index(int64_t n, const Body& body) {
  const int64_t grid = int64_t{gridDim.x} * blockDim.x;
  MELGRAD_NO_UNROLL  // several elements in flight cost registers, and spills around the slow path of a division
      for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += grid) body(i);
}

// ---- warps

inline constexpr unsigned all_lanes = 0xffffffff;

struct Sum {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct Maximum {  // NaN if either is
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return larger(a, b);
  }
};

// All lanes get the same bits: each exchange combines two numbers that both sides see.
template <class Combine>
__device__ __forceinline__ float warp_reduce(float value, Combine combine) {
  MELGRAD_UNROLL
  for (int distance = 16; distance > 0; distance /= 2)
    value = combine(value, __shfl_xor_sync(all_lanes, value, distance));
  return value;
}

// ---- indices

// Division by a number that is known before the launch. A GPU has no integer divider; a dividend below 2^31 takes one
// multiplication instead: Granlund and Montgomery, "Division by invariant integers using multiplication", PLDI 1994.
class Divider {
 public:
  Divider(int64_t divisor = 1) : divisor_(divisor) {
    if (divisor < 1) return;  // an axis without elements: nothing is divided
    if (divisor > int64_t{1} << 31) {
      shift_ = 32;  // a dividend below 2^31 gives 0
      return;
    }
    shift_ = static_cast<uint32_t>(std::bit_width(static_cast<uint64_t>(divisor - 1)));
    const uint64_t power = uint64_t{1} << shift_, whole = static_cast<uint64_t>(divisor);
    multiplier_ = static_cast<uint32_t>(((power - whole) << 32) / whole + 1);
  }

  MELGRAD_HOST_DEVICE int64_t divisor() const { return divisor_; }
  // dividend / divisor, for a dividend of at least 0.
  MELGRAD_HOST_DEVICE int64_t quotient(int64_t dividend) const {
    if (dividend >> 31 != 0) return dividend / divisor_;
    const auto small = static_cast<uint64_t>(dividend);
    return static_cast<int64_t>(((small * multiplier_ >> 32) + small) >> shift_);
  }
  // Divides, and returns the rest.
  MELGRAD_HOST_DEVICE int64_t split(int64_t& dividend) const {
    const int64_t whole = quotient(dividend), rest = dividend - whole * divisor_;
    dividend = whole;
    return rest;
  }
  // The same in 32 bits, for a divisor of 32 bits: without the way around for large dividends, which costs registers.
  MELGRAD_HOST_DEVICE int32_t split(int32_t& dividend) const {
    const auto small = static_cast<uint64_t>(dividend);
    const auto whole = static_cast<int32_t>(((small * multiplier_ >> 32) + small) >> shift_);
    const int32_t rest = dividend - whole * static_cast<int32_t>(divisor_);
    dividend = whole;
    return rest;
  }

 private:
  int64_t divisor_;
  uint32_t multiplier_ = 0, shift_ = 0;
};

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
