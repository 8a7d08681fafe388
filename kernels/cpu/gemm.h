// The f32 matrix product that matmul and the convolutions on the CPU are made of: c (+)= a · b.
//
// `b` is packed once into panels (pack_panels), then row blocks of c are computed independently (multiply_packed), by
// as many threads as there are. How it is fast:
//  - A panel is two vectors wide: 16 floats on AVX2, 32 on AVX-512. The kernel keeps a tile of c, `rows` × one panel, in
//    registers (12 of 16 on AVX2, 24 of 32 on AVX-512): each vector of b loaded feeds `rows` multiply-adds, and each
//    number of a broadcast feeds two.
//  - `a` is read in place through two strides: its rows may be a plain matrix, a transposed one, or patches of an image,
//    and may overlap; BLAS libraries refuse a row stride below the row length.
//  - Sums over k are cut into blocks of 256: a panel's block stays in the L1 cache, and long sums lose fewer digits.
//
// An element of c is summed in an order that depends on k alone: any division of rows among threads gives the same
// bits.
#pragma once

#include <cstdint>

namespace melgrad::cpu {

// Element (i, j) is data[i · row_stride + j · column_stride].
struct Strided {
  const float* data;
  int64_t row_stride;
  int64_t column_stride;
};

// Columns of a panel on this machine.
int64_t panel_width();

// Floats that a packed (k, n) matrix takes: whole panels, the last filled with zeros.
int64_t packed_size(int64_t k, int64_t n);

// Packs panels [first, last) of b (k, n) into their place in `packed`.
void pack_panels(const Strided& b, int64_t k, int64_t n, int64_t first, int64_t last, float* packed);

// c (m, n), rows `c_stride` apart, becomes a (m, k) · b, or is added to. Only columns of panels [first, last) are
// touched.
struct PackedProduct {
  int64_t m, n, k;
  Strided a;
  const float* packed_b;
  float* c;
  int64_t c_stride;
  bool accumulate = false;
};
void multiply_packed(const PackedProduct& product, int64_t first_panel, int64_t last_panel);

inline int64_t panels(int64_t n) {
  return (n + panel_width() - 1) / panel_width();
}

// Pack all of b and multiply, in this thread.
void multiply(const Strided& a, const Strided& b, int64_t m, int64_t n, int64_t k, float* c, int64_t c_stride,
              bool accumulate);

// Partial sums of a weight gradient: fixed, so that threads change nothing.
constexpr int64_t weight_chunks = 8;

// Scratch of this thread, at least so large, aligned for vectors; its contents last until the next call with the same
// slot.
enum class Scratch : uint8_t { packed_b, patches, patch_gradients, tiles, gradient_tiles, products, results, count };
float* thread_scratch(Scratch slot, int64_t floats);

}  // namespace melgrad::cpu
