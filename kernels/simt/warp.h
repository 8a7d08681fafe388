// Barriers, shuffles and votes, as CUDA names them (CUDA C++ Programming Guide, "Synchronization Functions", "Warp
// Shuffle Functions", "Warp Vote Functions").
//
// Stricter than CUDA: every lane that a mask names must come. CUDA forgives lanes that have returned or never were.
#pragma once

#include <bit>
#include <source_location>
#include <string>
#include <type_traits>

#include "kernels/simt/engine.h"

namespace melgrad::simt {

inline void __syncthreads(const std::source_location& where = std::source_location::current()) {
  barrier(where);
}

inline void __syncwarp(uint32_t mask = 0xffffffff,
                       const std::source_location& where = std::source_location::current()) {
  collective(
      "__syncwarp", mask, nullptr, [](uint32_t, void* const*) {}, where);
}

// Every lane gives a value and gets that of lane `source`.
template <class T>
T exchange(const char* operation, uint32_t mask, T value, int source, const std::source_location& where) {
  static_assert(std::is_arithmetic_v<T>, "CUDA shuffles numbers only");
  if ((mask >> source & 1) == 0)
    fault(std::string(operation) + ": reads lane " + std::to_string(source) + ", which is not in its mask", where);
  struct Parcel {
    T value;
    int source;
    T result;
  };
  Parcel mine{value, source, value};
  collective(
      operation, mask, &mine,
      [](uint32_t lanes, void* const* data) {
        for (uint32_t left = lanes; left != 0; left &= left - 1) {
          auto* parcel = static_cast<Parcel*>(data[std::countr_zero(left)]);
          parcel->result = static_cast<const Parcel*>(data[parcel->source])->value;
        }
      },
      where);
  return mine.result;
}

// `width`, a power of two up to 32, cuts the warp into segments that shuffle by themselves. A source outside of the
// segment means the lane itself.

// The value of lane `source` of the segment.
template <class T>
T __shfl_sync(uint32_t mask, T value, int source, int width = warpSize,
              const std::source_location& where = std::source_location::current()) {
  const int segment = lane() & ~(width - 1);
  return exchange("__shfl_sync", mask, value, segment + (source & (width - 1)), where);
}

// The value of the lane `delta` below.
template <class T>
T __shfl_up_sync(uint32_t mask, T value, unsigned delta, int width = warpSize,
                 const std::source_location& where = std::source_location::current()) {
  const int source = lane() - static_cast<int>(delta);
  return exchange("__shfl_up_sync", mask, value, source < (lane() & ~(width - 1)) ? lane() : source, where);
}

// The value of the lane `delta` above.
template <class T>
T __shfl_down_sync(uint32_t mask, T value, unsigned delta, int width = warpSize,
                   const std::source_location& where = std::source_location::current()) {
  const int source = lane() + static_cast<int>(delta);
  return exchange("__shfl_down_sync", mask, value, source > (lane() | (width - 1)) ? lane() : source, where);
}

// The value of the lane whose number differs in the bits of `lane_mask`.
template <class T>
T __shfl_xor_sync(uint32_t mask, T value, int lane_mask, int width = warpSize,
                  const std::source_location& where = std::source_location::current()) {
  const int source = lane() ^ lane_mask;
  return exchange("__shfl_xor_sync", mask, value, source > (lane() | (width - 1)) ? lane() : source, where);
}

// One bit a lane: whether its predicate holds.
inline uint32_t __ballot_sync(uint32_t mask, int predicate,
                              const std::source_location& where = std::source_location::current()) {
  struct Vote {
    bool yes;
    uint32_t result;
  };
  Vote mine{predicate != 0, 0};
  collective(
      "__ballot_sync", mask, &mine,
      [](uint32_t lanes, void* const* data) {
        uint32_t ballot = 0;
        for (uint32_t left = lanes; left != 0; left &= left - 1) {
          const int voter = std::countr_zero(left);
          ballot |= uint32_t{static_cast<const Vote*>(data[voter])->yes} << voter;
        }
        for (uint32_t left = lanes; left != 0; left &= left - 1)
          static_cast<Vote*>(data[std::countr_zero(left)])->result = ballot;
      },
      where);
  return mine.result;
}

inline int __any_sync(uint32_t mask, int predicate,
                      const std::source_location& where = std::source_location::current()) {
  return __ballot_sync(mask, predicate, where) != 0;
}

inline int __all_sync(uint32_t mask, int predicate,
                      const std::source_location& where = std::source_location::current()) {
  return __ballot_sync(mask, predicate, where) == mask;
}

}  // namespace melgrad::simt
