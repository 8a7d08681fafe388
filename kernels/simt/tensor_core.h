// The tensor core's warp operations, on the host: what kernels/cuda/tensor_core.h gives to kernels under nvcc (PTX ISA,
// "Warp-level matrix load instruction: ldmatrix" and "Matrix fragments for mma.m16n8k16").
//
// It proves a kernel's indexing. The order in which the hardware adds up is its own.
#pragma once

#include <cstring>

#include "kernels/bf16.h"
#include "kernels/simt/pointer.h"
#include "kernels/simt/warp.h"

namespace melgrad::simt {

// Four matrices of 8 × 8 bf16. Lane i gives row i % 8 of matrix i / 8, 16 bytes that start at a multiple of 16; register
// j of a lane takes elements 2 (lane % 4) and the next of row lane / 4 of matrix j.
inline void load_matrices(uint32_t (&registers)[4], Shared<uint16_t> row,
                          const std::source_location& where = std::source_location::current()) {
  struct Parcel {
    uint32_t row[4];
    uint32_t result[4];
  } mine;
  const float4 bytes = vector_cast<float4>(row)[Index(0, where)];
  std::memcpy(mine.row, &bytes, sizeof(mine.row));
  collective(
      "ldmatrix", 0xffffffff, &mine,
      [](uint32_t, void* const* data) {
        for (int lane = 0; lane < warpSize; ++lane)
          for (int matrix = 0; matrix < 4; ++matrix) {
            const auto* from = static_cast<const Parcel*>(data[8 * matrix + lane / 4]);
            static_cast<Parcel*>(data[lane])->result[matrix] = from->row[lane % 4];
          }
      },
      where);
  std::memcpy(registers, mine.result, sizeof(registers));
}

// sum (16 × 8) += a (16 × 16) × b (16 × 8): a and b of bf16, sums of f32. Fragments as the PTX ISA lays them out.
inline void multiply_fragments(float (&sum)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                               const std::source_location& where = std::source_location::current()) {
  struct Parcel {
    float sum[4];
    uint32_t a[4], b[2];
  } mine;
  std::memcpy(mine.sum, sum, sizeof(sum));
  std::memcpy(mine.a, a, sizeof(a));
  std::memcpy(mine.b, b, sizeof(b));
  collective(
      "mma.m16n8k16", 0xffffffff, &mine,
      [](uint32_t, void* const* data) {
        const auto half = [](uint32_t pair, int odd) {
          return float_from_bf16(static_cast<uint16_t>(odd != 0 ? pair >> 16 : pair));
        };
        // Element (row, k) of a and (k, column) of b: which lane, register and half has it.
        const auto of_a = [&](int row, int k) {
          const auto* lane = static_cast<const Parcel*>(data[row % 8 * 4 + k % 8 / 2]);
          return half(lane->a[row / 8 + k / 8 * 2], k % 2);
        };
        const auto of_b = [&](int k, int column) {
          const auto* lane = static_cast<const Parcel*>(data[column * 4 + k % 8 / 2]);
          return half(lane->b[k / 8], k % 2);
        };
        for (int lane = 0; lane < warpSize; ++lane)
          for (int i = 0; i < 4; ++i) {
            const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
            float& total = static_cast<Parcel*>(data[lane])->sum[i];
            for (int k = 0; k < 16; ++k) total += of_a(row, k) * of_b(k, column);
          }
      },
      where);
  std::memcpy(sum, mine.sum, sizeof(sum));
}

}  // namespace melgrad::simt
