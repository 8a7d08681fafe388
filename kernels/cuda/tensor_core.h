// A tile of a product on tensor cores: as kernels/cuda/gemm.h, with operands rounded to bf16 on their way into shared
// memory and sums in f32.
//
// Algorithm: pieces of 16 steps as there, fetched a round ahead into registers and stored, as bf16, in one of two
// buffers; [line][step], since the tensor core wants the steps of a line together. Each of 8 warps has 16 lines of a and
// 32 of b: per piece one ldmatrix for a, two for b and four products of 16 × 8 × 16.
// Bottleneck: the fetching: a piece is 16 tensor-core cycles of work at most.
// Launch: as gemm.h; 12 to 15 KB of shared memory.
// Banks: lines are padded to 48 bytes, twelve banks. Eight of them, which ldmatrix reads at once, then lie in different
// banks. The eight lines behind begin in the same ones; where a warp stores 32 lines, each eight of them are at other steps
// (the skew of PieceCopier).
#pragma once

#include "kernels/cuda/gemm.h"

#if defined(__CUDACC__)
#include "kernels/bf16.h"
#else
#include "kernels/simt/tensor_core.h"
#endif

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

#if defined(__CUDACC__)

// kernels/simt/tensor_core.h says what these do.
__device__ __forceinline__ void load_matrices(uint32_t (&registers)[4], const uint16_t* row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
               : "r"(address)
               : "memory");
}
__device__ __forceinline__ void multiply_fragments(float (&sum)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#endif

// As multiply_tile of gemm.h.
template <class Tile, class A, class B, class Store>
__device__ __forceinline__ void multiply_tile_bf16(const A& a, const B& b, int64_t first_a, int64_t first_b,
                                                   int64_t first_step, int64_t last_step, const Store& store) {
  constexpr int pad = 8, skew = 2;
  constexpr int products = 4;  // 16 × 8 each, side by side along b
  constexpr int warp_b = 8 * products, warps_along_b = Tile::b / warp_b;
  __shared__ SharedArray<uint16_t, 2, Tile::a, gemm_depth + pad> a_pieces;
  __shared__ SharedArray<uint16_t, 2, Tile::b, gemm_depth + pad> b_pieces;
  PieceCopier<A, Tile::a, skew> a_copier(a, first_a);
  PieceCopier<B, Tile::b, skew> b_copier(b, first_b);
  const auto fetch = [&](int64_t step) {
    a_copier.fetch(step);
    b_copier.fetch(step);
  };
  const auto store_pieces = [&](int buffer) {
    a_copier.each([&](int step, int line, float value) { a_pieces[buffer][line][step] = bf16_bits(value); });
    b_copier.each([&](int step, int line, float value) { b_pieces[buffer][line][step] = bf16_bits(value); });
  };
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int warp_first_a = warp / warps_along_b * 16, warp_first_b = warp % warps_along_b * warp_b;
  // Which row of its four matrices this lane names. Of a: lines 0 … 15, then the same of steps 8 … 15. Of b: lines
  // 0 … 7 of steps 0 … 7 and 8 … 15, then lines 8 … 15 likewise.
  const int a_line = warp_first_a + lane % 16, a_step = lane / 16 * 8;
  const int b_line = warp_first_b + lane % 8 + lane / 16 * 8, b_step = lane / 8 % 2 * 8;
  float sum[products][4] = {};
  if (first_step < last_step) {
    fetch(first_step);
    store_pieces(0);
  }
  __syncthreads();
  int buffer = 0;
  for (int64_t step = first_step; step < last_step; step += gemm_depth, buffer = 1 - buffer) {
    const bool more = step + gemm_depth < last_step;
    if (more) fetch(step + gemm_depth);
    uint32_t of_a[4];
    const Shared<uint16_t> a_row = a_pieces[buffer][a_line];
    load_matrices(of_a, a_row + a_step);
    MELGRAD_UNROLL
    for (int pair = 0; pair < products; pair += 2) {
      uint32_t of_b[4];
      const Shared<uint16_t> b_row = b_pieces[buffer][b_line + 8 * pair];
      load_matrices(of_b, b_row + b_step);
      const uint32_t left[2] = {of_b[0], of_b[1]}, right[2] = {of_b[2], of_b[3]};
      multiply_fragments(sum[pair], of_a, left);
      multiply_fragments(sum[pair + 1], of_a, right);
    }
    if (more) {
      store_pieces(1 - buffer);
      __syncthreads();
    }
  }
  MELGRAD_UNROLL
  for (int product = 0; product < products; ++product) {
    MELGRAD_UNROLL
    for (int i = 0; i < 4; ++i)
      store(first_a + warp_first_a + lane / 4 + i / 2 * 8, first_b + warp_first_b + product * 8 + lane % 4 * 2 + i % 2,
            sum[product][i]);
  }
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
