#include "kernels/cpu/gemm.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/aligned_allocator.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Lanes = hn::ScalableTag<float>;
using Vector = hn::Vec<Lanes>;

constexpr int64_t k_block = 256;
constexpr int panel_vectors = 2;
// Rows of the register tile: `rows` × 2 sums, 2 vectors of b and a broadcast must fit the registers.
#if HWY_TARGET <= HWY_AVX3
constexpr int tile_rows = 12, half_rows = 4;  // 32 registers
#else
constexpr int tile_rows = 6, half_rows = 2;  // 16 registers
#endif

int64_t panel_width_here() {
  return panel_vectors * static_cast<int64_t>(hn::Lanes(Lanes()));
}

// A tile of `rows` × `vectors` of c over one block of k.
template <int rows, int vectors>
HWY_INLINE void tile(const float* a, int64_t row_stride, int64_t column_stride, const float* b, int64_t k, float* c,
                     int64_t c_stride, int64_t columns, bool accumulate) {
  const Lanes d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t width = panel_vectors * lanes;
  Vector sum[rows][vectors];
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) sum[r][v] = hn::Zero(d);
  for (int64_t step = 0; step < k; ++step) {
    Vector right[vectors];
    for (int v = 0; v < vectors; ++v) right[v] = hn::LoadU(d, b + step * width + v * lanes);
    for (int r = 0; r < rows; ++r) {
      const Vector left = hn::Set(d, a[r * row_stride + step * column_stride]);
      for (int v = 0; v < vectors; ++v) sum[r][v] = hn::MulAdd(left, right[v], sum[r][v]);
    }
  }
  for (int r = 0; r < rows; ++r) {
    float* row = c + r * c_stride;
    for (int v = 0; v < vectors; ++v) {
      const int64_t left_over = columns - v * lanes;
      float* to = row + v * lanes;
      if (left_over >= lanes) {
        hn::StoreU(accumulate ? hn::Add(hn::LoadU(d, to), sum[r][v]) : sum[r][v], d, to);
      } else {
        HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)];
        hn::Store(sum[r][v], d, part);
        for (int64_t i = 0; i < left_over; ++i) to[i] = accumulate ? to[i] + part[i] : part[i];
      }
    }
  }
}

// All rows of c against one panel's block: whole tiles, then smaller ones.
template <int vectors>
void multiply_panel(const PackedProduct& p, const float* a, const float* b, int64_t k, float* c, int64_t columns,
                    bool accumulate) {
  int64_t row = 0;
  const auto rows_of = [&]<int rows>() {
    for (; row + rows <= p.m; row += rows) {
      tile<rows, vectors>(a + row * p.a.row_stride, p.a.row_stride, p.a.column_stride, b, k, c + row * p.c_stride,
                          p.c_stride, columns, accumulate);
    }
  };
  rows_of.template operator()<tile_rows>();
  rows_of.template operator()<half_rows>();
  rows_of.template operator()<1>();
}

void multiply_packed_here(const PackedProduct& p, int64_t first_panel, int64_t last_panel) {
  const int64_t width = panel_width_here(), lanes = width / panel_vectors;
  // k = 0 must still write zeros.
  for (int64_t start = 0; start == 0 || start < p.k; start += k_block) {
    const int64_t k = std::min(k_block, p.k - start);
    const bool accumulate = p.accumulate || start > 0;
    for (int64_t panel = first_panel; panel < last_panel; ++panel) {
      const int64_t columns = std::min(width, p.n - panel * width);
      const float* b = p.packed_b + (panel * p.k + start) * width;
      const float* a = p.a.data + start * p.a.column_stride;
      float* c = p.c + panel * width;
      // The second half of a panel that is all filling is not computed.
      if (columns > lanes) {
        multiply_panel<2>(p, a, b, k, c, columns, accumulate);
      } else {
        multiply_panel<1>(p, a, b, k, c, columns, accumulate);
      }
    }
  }
}

void pack_panels_here(const Strided& b, int64_t k, int64_t n, int64_t first, int64_t last, float* packed) {
  const int64_t width = panel_width_here();
  for (int64_t panel = first; panel < last; ++panel) {
    float* to = packed + panel * k * width;
    const int64_t columns = std::min(width, n - panel * width);
    const float* from = b.data + panel * width * b.column_stride;
    for (int64_t row = 0; row < k; ++row, to += width, from += b.row_stride) {
      if (b.column_stride == 1) {
        std::copy_n(from, columns, to);
      } else {
        for (int64_t column = 0; column < columns; ++column) to[column] = from[column * b.column_stride];
      }
      std::fill(to + columns, to + width, 0.0f);
    }
  }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {

HWY_EXPORT(panel_width_here);
HWY_EXPORT(multiply_packed_here);
HWY_EXPORT(pack_panels_here);

int64_t panel_width() {
  return HWY_DYNAMIC_DISPATCH(panel_width_here)();
}

int64_t packed_size(int64_t k, int64_t n) {
  return panels(n) * panel_width() * k;
}

void pack_panels(const Strided& b, int64_t k, int64_t n, int64_t first, int64_t last, float* packed) {
  HWY_DYNAMIC_DISPATCH(pack_panels_here)(b, k, n, first, last, packed);
}

void multiply_packed(const PackedProduct& product, int64_t first_panel, int64_t last_panel) {
  HWY_DYNAMIC_DISPATCH(multiply_packed_here)(product, first_panel, last_panel);
}

void multiply(const Strided& a, const Strided& b, int64_t m, int64_t n, int64_t k, float* c, int64_t c_stride,
              bool accumulate) {
  float* packed = thread_scratch(Scratch::packed_b, packed_size(k, n));
  pack_panels(b, k, n, 0, panels(n), packed);
  multiply_packed({m, n, k, a, packed, c, c_stride, accumulate}, 0, panels(n));
}

float* thread_scratch(Scratch slot, int64_t floats) {
  struct Block {
    hwy::AlignedFreeUniquePtr<float[]> data;
    int64_t size = 0;
  };
  thread_local Block blocks[static_cast<int>(Scratch::count)];
  Block& block = blocks[static_cast<int>(slot)];
  if (block.size < floats) {
    block.data = hwy::AllocateAligned<float>(static_cast<std::size_t>(floats));
    block.size = floats;
  }
  return block.data.get();
}

}  // namespace melgrad::cpu
#endif
