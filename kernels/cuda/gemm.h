// The inner part of every product of matrices here: a tile of c (lines of a × lines of b), summed over steps.
//
// Algorithm: a block walks along the steps, 16 at a time. Its threads fetch a piece of each operand into registers, store
// it in shared memory as [step][line], and multiply: each thread keeps 4 × 4 sums in registers and reads four numbers of
// each operand at once. While one pair of pieces is multiplied the next is on its way from global memory, and lands in
// the other of two buffers, so a round needs one barrier. An element of c is one sum in the order of the steps.
// Bottleneck: the multiplier and shared memory: two 16-byte reads feed 16 multiply-adds.
// Launch: 256 threads a tile of 64 × 64, or of 128 × 32 where b has few lines; 17 to 21 KB of shared memory.
// Banks: rows are padded by four floats, which keeps them aligned to 16 bytes and puts the steps that neighbouring threads
// store four banks apart; the ninth would be back at the first's, so its half of the steps lies two floats aside (place_of).
//
// An operand says what is multiplied; elements may lie anywhere:
//   Line line(int64_t)                    what is known of a line before the walk (a pixel's place, say)
//   Step step(int64_t)                    and of a step, for all lines
//   float load(const Line&, const Step&)  the element, 0 outside of the matrix
//   steps_are_inner                       whether neighbouring steps, rather than lines, are neighbours in memory
#pragma once

#include "kernels/cuda/helpers.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

inline constexpr int gemm_threads = 256;
inline constexpr int gemm_depth = 16;  // steps of a piece
inline constexpr int gemm_own = 4;     // lines of each operand that a thread multiplies

// Lines of a and of b in a tile.
template <int lines_of_a, int lines_of_b>
struct GemmTile {
  static constexpr int a = lines_of_a, b = lines_of_b;
  static_assert(a * b == gemm_threads * gemm_own * gemm_own);
};
using SquareTile = GemmTile<64, 64>;
using TallTile = GemmTile<128, 32>;

// Where a line lies in the row of its step: in the second half of a piece the two halves of every four lines have changed
// places, which four lines that are read at once do not mind.
__device__ __forceinline__ int place_of(int step, int line) {
  return line ^ step / (gemm_depth / 2) * 2;
}
// Four lines of a step as they were before.
__device__ __forceinline__ void in_order(int step, const float4& four, float (&lines)[gemm_own]) {
  const bool changed = place_of(step, 0) != 0;
  lines[0] = changed ? four.z : four.x;
  lines[1] = changed ? four.w : four.y;
  lines[2] = changed ? four.x : four.z;
  lines[3] = changed ? four.y : four.w;
}

// What one thread copies of an operand's pieces. Where neighbouring threads take a step of several lines, every eight lines
// are `skew` steps further than the eight before, and the last steps of all come round to the first: a sector is eight
// floats, so global memory is asked for no more of them, and shared memory sees other banks.
template <class Operand, int lines, int skew = 0>
class PieceCopier {
  static constexpr int count = lines * gemm_depth / gemm_threads;  // elements a thread, of a piece
  // Neighbouring threads take neighbouring addresses: the same step of `count` lines, or the same line.
  static constexpr bool inner = Operand::steps_are_inner;
  static constexpr int apart = gemm_threads / (inner ? gemm_depth : lines);
  static constexpr int line_count = inner ? count : 1, step_count = inner ? 1 : count;

 public:
  __device__ __forceinline__ PieceCopier(const Operand& operand, int64_t first_line) : operand_(operand) {
    MELGRAD_UNROLL
    for (int i = 0; i < line_count; ++i) lines_[i] = operand.line(first_line + line_of(i));
  }

  __device__ __forceinline__ void fetch(int64_t first_step) {
    typename Operand::Step step = operand_.step(first_step + step_of(0));
    MELGRAD_UNROLL
    for (int i = 0; i < count; ++i) {
      if (!inner && i > 0) step = operand_.step(first_step + step_of(i));
      values_[i] = operand_.load(lines_[inner ? i : 0], step);
    }
  }
  // Calls body(step, line, element) for each, within a piece.
  template <class Body>
  __device__ __forceinline__ void each(const Body& body) const {
    MELGRAD_UNROLL
    for (int i = 0; i < count; ++i) body(step_of(i), line_of(i), values_[i]);
  }

 private:
  static constexpr int across = inner ? gemm_depth : lines;
  static __device__ __forceinline__ int line_of(int i) {
    const int thread = static_cast<int>(threadIdx.x);
    return inner ? thread / across + i * apart : thread % across;
  }
  static __device__ __forceinline__ int step_of(int i) {
    const int thread = static_cast<int>(threadIdx.x);
    const int step = inner ? thread % across : thread / across + i * apart;
    return inner || skew == 0 ? step : (step + thread % across / 8 * skew) % gemm_depth;
  }

  const Operand& operand_;
  typename Operand::Line lines_[line_count];
  float values_[count];
};

// Hands store(line of a, line of b, sum) the elements of the tile at (first_a, first_b), summed over steps
// [first_step, last_step). Elements outside of the matrix too: store leaves them out.
template <class Tile, class A, class B, class Store>
__device__ __forceinline__ void multiply_tile(const A& a, const B& b, int64_t first_a, int64_t first_b,
                                              int64_t first_step, int64_t last_step, const Store& store) {
  constexpr int pad = 4, own = gemm_own, threads_along_b = Tile::b / own;
  __shared__ SharedArray<float, 2, gemm_depth, Tile::a + pad> a_pieces;
  __shared__ SharedArray<float, 2, gemm_depth, Tile::b + pad> b_pieces;
  PieceCopier<A, Tile::a> a_copier(a, first_a);
  PieceCopier<B, Tile::b> b_copier(b, first_b);
  const int along_a = static_cast<int>(threadIdx.x) / threads_along_b;
  const int along_b = static_cast<int>(threadIdx.x) % threads_along_b;
  const auto store_pieces = [&](int buffer) {
    a_copier.each([&](int step, int line, float value) { a_pieces[buffer][step][place_of(step, line)] = value; });
    b_copier.each([&](int step, int line, float value) { b_pieces[buffer][step][place_of(step, line)] = value; });
  };
  float sum[own][own] = {};
  if (first_step < last_step) {
    a_copier.fetch(first_step);
    b_copier.fetch(first_step);
    store_pieces(0);
  }
  __syncthreads();
  int buffer = 0;
  for (int64_t step = first_step; step < last_step; step += gemm_depth, buffer = 1 - buffer) {
    const bool more = step + gemm_depth < last_step;
    if (more) {
      a_copier.fetch(step + gemm_depth);
      b_copier.fetch(step + gemm_depth);
    }
    MELGRAD_UNROLL
    for (int k = 0; k < gemm_depth; ++k) {
      const Shared<float> a_row = a_pieces[buffer][k];
      const Shared<float> b_row = b_pieces[buffer][k];
      const float4 left = vector_cast<float4>(a_row)[along_a];
      const float4 right = vector_cast<float4>(b_row)[along_b];
      float of_a[own], of_b[own];
      in_order(k, left, of_a);
      in_order(k, right, of_b);
      MELGRAD_UNROLL
      for (int i = 0; i < own; ++i) {
        MELGRAD_UNROLL
        for (int j = 0; j < own; ++j) sum[i][j] += of_a[i] * of_b[j];
      }
    }
    if (more) {  // the other buffer was last read before the barrier that this round began with
      store_pieces(1 - buffer);
      __syncthreads();
    }
  }
  MELGRAD_UNROLL
  for (int i = 0; i < own; ++i) {
    MELGRAD_UNROLL
    for (int j = 0; j < own; ++j) store(first_a + along_a * own + i, first_b + along_b * own + j, sum[i][j]);
  }
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
