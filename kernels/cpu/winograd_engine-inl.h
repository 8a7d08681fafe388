// The three inner steps of a convolution by Winograd's F(m, 3) or F(m, 2), for the instruction set at hand: tiles are transformed,
// multiplied, transformed back. What is read and where results go are the callers' (a plain convolution, a fused block).
// Included once for each target; see Highway's foreach_target.
//
// Transformed tiles lie as [point][channel block][tile][width], `width` = 2 vectors of channels: such a block is at once
// the left operand of a product, whose numbers are broadcast (forward, data gradient), and the right one, whose vectors
// are loaded (weight gradient). Nothing is packed in between. Transformed weights lie as
// [output block][point][row tap][channel][width].
//
// Count for one vector of the product: 12 × 2 multiply-adds for 2 loads and 12 broadcasts, all from L1 and L2 through
// prefetches; 85 to 90 % of the FMA ceiling where operands are in L2.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "kernels/cpu/winograd.h"
#include "kernels/cpu/winograd_transforms-inl.h"

#if defined(MELGRAD_KERNELS_CPU_WINOGRAD_ENGINE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_WINOGRAD_ENGINE_INL_H_
#undef MELGRAD_KERNELS_CPU_WINOGRAD_ENGINE_INL_H_
#else
#define MELGRAD_KERNELS_CPU_WINOGRAD_ENGINE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

HWY_INLINE int64_t lane_total() {
  return static_cast<int64_t>(hn::Lanes(WinogradTag()));
}
// Channels of a block.
HWY_INLINE int64_t block_width() {
  return 2 * lane_total();
}
inline int64_t channel_blocks(int64_t channels) {
  return (channels + block_width() - 1) / block_width();
}
inline int64_t padded_channels(int64_t channels) {
  return channel_blocks(channels) * block_width();
}

#if HWY_TARGET <= HWY_AVX3
constexpr int group_tiles = 12, gradient_rows = 8;  // 32 registers
#else
constexpr int group_tiles = 6, gradient_rows = 4;  // 16 registers
#endif

// A vector of which `count` lanes are memory and the others 0.
HWY_INLINE WinogradVector load_lanes(const float* from, int64_t count) {
  const WinogradTag d;
  if (count >= lane_total()) return hn::LoadU(d, from);
  HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)] = {};
  std::copy_n(from, std::max<int64_t>(count, 0), part);
  return hn::Load(d, part);
}
HWY_INLINE void store_lanes(WinogradVector value, float* to, int64_t count) {
  const WinogradTag d;
  if (count >= lane_total()) return hn::StoreU(value, d, to);
  HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(value, d, part);
  std::copy_n(part, std::max<int64_t>(count, 0), to);
}

// ---- Transforms -----------------------------------------------------------------------------------------------------

// Bᵀ d of tiles [tile, tile + tiles) of one row. load(column) gives a vector of channels of a column in 0 … width - 1.
template <class F, class Load>
HWY_INLINE void transform_input(const Load& load, int64_t width, int64_t pad, int64_t tile, int64_t tiles, float* to,
                                int64_t point_stride) {
  const WinogradTag tag;
  constexpr int m = F::outputs, points = F::points, overlap = points - m;  // neighbouring tiles share columns
  WinogradVector d[points], v[points];
  const auto checked = [&](int64_t column) { return column >= 0 && column < width ? load(column) : hn::Zero(tag); };
  int64_t column = tile * m - pad;
  for (int j = 0; j < overlap; ++j) d[m + j] = checked(column + j);
  for (int64_t t = 0; t < tiles; ++t, column += m, to += block_width()) {
    for (int j = 0; j < overlap; ++j) d[j] = d[m + j];
    if (column + overlap >= 0 && column + points <= width) {
#pragma GCC unroll 8
      for (int j = overlap; j < points; ++j) d[j] = load(column + j);
    } else {
      for (int j = overlap; j < points; ++j) d[j] = checked(column + j);
    }
    F::input(d, v);
#pragma GCC unroll 8
    for (int p = 0; p < points; ++p) hn::Store(v[p], tag, to + p * point_stride);
  }
}

// A g of the same tiles of a row of gradients, `width` long.
template <class F, class Load>
HWY_INLINE void transform_gradient(const Load& load, int64_t width, int64_t tile, int64_t tiles, float* to,
                                   int64_t point_stride) {
  const WinogradTag tag;
  constexpr int m = F::outputs, points = F::points;
  WinogradVector g[m], v[points];
  int64_t column = tile * m;
  for (int64_t t = 0; t < tiles; ++t, column += m, to += block_width()) {
    if (column + m <= width) {
#pragma GCC unroll 8
      for (int j = 0; j < m; ++j) g[j] = load(column + j);
    } else {
      for (int j = 0; j < m; ++j) g[j] = column + j < width ? load(column + j) : hn::Zero(tag);
    }
    F::output_gradient(g, v);
#pragma GCC unroll 8
    for (int p = 0; p < points; ++p) hn::Store(v[p], tag, to + p * point_stride);
  }
}

// Where the tiles of a block go: rows of source, `taps` - 1 more than results, one below the other for each sample.
struct TileBuffer {
  float* data;
  int64_t tiles;          // room in each channel block
  int64_t channel_count;  // blocks of them

  int64_t channel_stride() const { return tiles * block_width(); }
  int64_t point_stride() const { return channel_count * channel_stride(); }
};

inline int64_t source_rows(const TileBlock& block, int64_t taps) {
  return block.rows + taps - 1;
}
inline int64_t source_tiles(const TileBlock& block, int64_t taps) {
  return block.samples * source_rows(block, taps) * block.tiles;
}

// Fills the channel blocks [first, last) of a buffer. transform(sample, row, channel, count, to) writes the tiles of one
// row; rows outside the image are zeros.
template <class F, class Transform>
void transform_block(const TileBlock& block, int64_t taps, int64_t row_pad, int64_t image_rows, int64_t channels,
                     const TileBuffer& buffer, int64_t first, int64_t last, const Transform& transform) {
  const WinogradTag d;
  const int64_t lanes = lane_total(), width = block_width(), rows = source_rows(block, taps);
  for (int64_t s = 0; s < block.samples; ++s)
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t channel = first * width; channel < last * width; channel += lanes) {
        const int64_t row = block.row + r - row_pad;
        float* to = buffer.data + channel / width * buffer.channel_stride() + channel % width +
                    (s * rows + r) * block.tiles * width;
        if (row >= 0 && row < image_rows && channel < channels) {
          transform(block.sample + s, row, channel, std::min(lanes, channels - channel), to);
          continue;
        }
        for (int64_t p = 0; p < F::points; ++p)
          for (int64_t t = 0; t < block.tiles; ++t)
            hn::Store(hn::Zero(d), d, to + p * buffer.point_stride() + t * width);
      }
}

// ---- Products -------------------------------------------------------------------------------------------------------

// m[r][0 … width) = Σ over blocks b of `width` numbers k: a[offset_b + r · width + k] · u[b][k][…], for `rows` tiles.
template <int rows>
HWY_NOINLINE void multiply_tiles(const float* a, const int64_t* offsets, int64_t blocks, const float* u, float* m) {
  const WinogradTag d;
  const int64_t lanes = lane_total(), width = block_width();
  WinogradVector sum[rows][2];
#pragma GCC unroll 12
  for (int r = 0; r < rows; ++r) sum[r][0] = sum[r][1] = hn::Zero(d);
  for (int64_t b = 0; b < blocks; ++b) {
    const float* left = a + offsets[b];
    for (int64_t k = 0; k < width; ++k, ++left, u += width) {
      const WinogradVector u0 = hn::Load(d, u), u1 = hn::Load(d, u + lanes);
      hwy::Prefetch(u + 8 * width);
      hwy::Prefetch(u + 8 * width + lanes);
#pragma GCC unroll 12
      for (int r = 0; r < rows; ++r) {
        const WinogradVector value = hn::Set(d, left[r * width]);
        sum[r][0] = hn::MulAdd(value, u0, sum[r][0]);
        sum[r][1] = hn::MulAdd(value, u1, sum[r][1]);
      }
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < rows; ++r) {
    hn::Store(sum[r][0], d, m + r * width);
    hn::Store(sum[r][1], d, m + r * width + lanes);
  }
}

using MultiplyFunction = void (*)(const float*, const int64_t*, int64_t, const float*, float*);

template <std::size_t... rows>
MultiplyFunction multiply_function(int64_t count, std::index_sequence<rows...>) {
  static constexpr MultiplyFunction functions[] = {&multiply_tiles<static_cast<int>(rows) + 1>...};
  return functions[count - 1];
}

// The left operand of a block's products: transformed tiles, and where each (row tap, channel block) of a result's tile
// lies relative to tap 0.
struct LeftOperand {
  TileBuffer tiles;
  int64_t taps;
  const int64_t* offsets;  // taps · channel blocks of them
};

// Calls body(start, rows) for groups of like size, as few as the registers allow.
template <class Body>
void for_each_group(int64_t count, const Body& body) {
  const int64_t groups = (count + group_tiles - 1) / group_tiles;
  for (int64_t g = 0, start = 0; g < groups; ++g) {
    const int64_t rows = (count - start + groups - g - 1) / (groups - g);
    body(start, rows);
    start += rows;
  }
}

// How often multiply_block calls between().
inline int64_t product_steps(const TileBlock& block, int64_t points) {
  const int64_t row = (block.tiles + group_tiles - 1) / group_tiles;
  return block.tiles > group_tiles
             ? block.samples * block.rows * row * points
             : (block.samples * block.rows * block.tiles + group_tiles - 1) / group_tiles * points;
}

// Floats that multiply_block needs for its products.
inline int64_t product_floats(const TileBlock& block, int64_t points) {
  const int64_t all = block.samples * block.rows * block.tiles;
  return points * block_width() * (block.tiles > group_tiles ? group_tiles : all);
}

// Called between pieces of a long product: a caller may fetch there what it reads next.
struct Nothing {
  void operator()() const {}
};

// One output block of a block of tiles: all points' products, and finish(sample, row, tile, tiles, products, stride
// between points) for consecutive pieces of each row. `u` is this output block's transformed weights.
template <class F, class Finish, class Between = Nothing>
void multiply_block(const TileBlock& block, const LeftOperand& left, const float* u, float* products,
                    const Finish& finish, const Between& between = {}) {
  const int64_t width = block_width(), blocks = left.taps * left.tiles.channel_count;
  const int64_t rows = source_rows(block, left.taps);
  // Products of `count` tiles from place `at` of the buffer on.
  const auto multiply = [&](int64_t at, int64_t count, float* to, int64_t stride) {
    const MultiplyFunction function = multiply_function(count, std::make_index_sequence<group_tiles>());
    for (int64_t p = 0; p < F::points; ++p) {
      function(left.tiles.data + p * left.tiles.point_stride() + at * width, left.offsets, blocks,
               u + p * blocks * width * width, to + p * stride);
      between();
    }
  };

  if (block.tiles > group_tiles) {  // row by row, each group finished while it is in L1
    for (int64_t s = 0; s < block.samples; ++s)
      for (int64_t r = 0; r < block.rows; ++r)
        for_each_group(block.tiles, [&](int64_t start, int64_t count) {
          multiply((s * rows + r) * block.tiles + start, count, products, group_tiles * width);
          finish(block.sample + s, block.row + r, block.tile + start, count, products, group_tiles * width);
        });
    return;
  }
  // Short rows: as many together as lie side by side.
  const int64_t run = (left.taps == 1 ? block.samples : 1) * block.rows * block.tiles;
  for (int64_t s = 0, at = 0; at < block.samples * block.rows * block.tiles; ++s, at += run)
    for_each_group(run, [&](int64_t start, int64_t count) {
      multiply(s * rows * block.tiles + start, count, products + (at + start) * width,
               block.samples * block.rows * block.tiles * width);
    });
  for (int64_t i = 0; i < block.samples * block.rows; ++i)
    finish(block.sample + i / block.rows, block.row + i % block.rows, block.tile, block.tiles,
           products + i * block.tiles * width, block.samples * block.rows * block.tiles * width);
}

// ---- Transforms back ------------------------------------------------------------------------------------------------

// Aᵀ m: calls store(column, vector) for the columns of tiles [tile, tile + tiles) that are in 0 … width - 1.
template <class F, class Store>
HWY_INLINE void finish_output(const float* products, int64_t stride, int64_t width, int64_t tile, int64_t tiles,
                              const Store& store) {
  const WinogradTag d;
  WinogradVector m[F::points], y[F::outputs];
  int64_t column = tile * F::outputs;
  for (int64_t t = 0; t < tiles; ++t, column += F::outputs) {
#pragma GCC unroll 8
    for (int p = 0; p < F::points; ++p) m[p] = hn::Load(d, products + p * stride + t * block_width());
    F::output(m, y);
    if (column + F::outputs <= width) {
#pragma GCC unroll 8
      for (int j = 0; j < F::outputs; ++j) store(column + j, y[j]);
    } else {
      for (int j = 0; j < F::outputs; ++j)
        if (column + j < width) store(column + j, y[j]);
    }
  }
}

// B m: neighbouring tiles overlap by two columns (of 3 taps; of 2 by one), whose first parts wait in `carry` [2][lanes]. A
// tile's last such columns are stored with the next tile, or with the row's last (`ends_row`). A halo tile is not stored.
template <class F, class Store>
HWY_INLINE void finish_input_gradient(const float* products, int64_t stride, int64_t width, int64_t pad, int64_t tile,
                                      int64_t tiles, bool halo, bool ends_row, float* carry, const Store& store) {
  const WinogradTag d;
  constexpr int overlap = F::points - F::outputs;
  WinogradVector m[F::points], x[F::points], carried[overlap];
  for (int j = 0; j < overlap; ++j) carried[j] = hn::Load(d, carry + j * lane_total());
  int64_t column = tile * F::outputs - pad;
  const auto checked = [&](int64_t at, WinogradVector value) {
    if (at >= 0 && at < width) store(at, value);
  };
  for (int64_t t = 0; t < tiles; ++t, column += F::outputs) {
#pragma GCC unroll 8
    for (int p = 0; p < F::points; ++p) m[p] = hn::Load(d, products + p * stride + t * block_width());
    F::input_gradient(m, x);
    for (int j = 0; j < overlap; ++j) {
      x[j] = hn::Add(x[j], carried[j]);
      carried[j] = x[F::outputs + j];
    }
    if (halo && t == 0) continue;
    if (column >= 0 && column + F::outputs <= width) {
#pragma GCC unroll 8
      for (int j = 0; j < F::outputs; ++j) store(column + j, x[j]);
    } else {
      for (int j = 0; j < F::outputs; ++j) checked(column + j, x[j]);
    }
  }
  for (int j = 0; j < overlap; ++j) {
    if (ends_row) checked(column + j, carried[j]);
    hn::Store(carried[j], d, carry + j * lane_total());
  }
}

// ---- Weight gradient ------------------------------------------------------------------------------------------------

// c[r][0 … width) (+)= Σ over `count` tiles t: v[t · width + r] · g[t · width + …], for gradient_rows numbers of v.
inline HWY_NOINLINE void accumulate_outer(const float* v, const float* g, int64_t count, float* c, bool accumulate) {
  const WinogradTag d;
  const int64_t lanes = lane_total(), width = block_width();
  WinogradVector sum[gradient_rows][2];
#pragma GCC unroll 8
  for (int r = 0; r < gradient_rows; ++r)
    for (int h = 0; h < 2; ++h) sum[r][h] = accumulate ? hn::Load(d, c + r * width + h * lanes) : hn::Zero(d);
  for (int64_t t = 0; t < count; ++t, v += width, g += width) {
    const WinogradVector g0 = hn::Load(d, g), g1 = hn::Load(d, g + lanes);
#pragma GCC unroll 8
    for (int r = 0; r < gradient_rows; ++r) {
      const WinogradVector value = hn::Set(d, v[r]);
      sum[r][0] = hn::MulAdd(value, g0, sum[r][0]);
      sum[r][1] = hn::MulAdd(value, g1, sum[r][1]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < gradient_rows; ++r)
    for (int h = 0; h < 2; ++h) hn::Store(sum[r][h], d, c + r * width + h * lanes);
}

// Where a block's own rows lie among the rows of gradients that a buffer holds of each sample.
struct GradientRows {
  int64_t per_sample, first;
};

// Point `p` and output block `ob` of Σ over a block's tiles of V ⊗ A·dy, [row tap][channel][width]. `v` has the rows of
// all taps; the block's halo tile is left out.
template <class Between = Nothing>
void weight_gradient_of_block(const TileBlock& block, int64_t taps, const TileBuffer& v, const TileBuffer& g,
                              const GradientRows& rows, int64_t p, int64_t ob, float* sums, bool accumulate,
                              const Between& between = {}) {
  const int64_t width = block_width(), halo = block.halo ? 1 : 0;
  const int64_t channels = v.channel_count * width, v_rows = source_rows(block, taps);
  const float* gradient = g.data + p * g.point_stride() + ob * g.channel_stride();
  // Runs of tiles that lie side by side in both buffers.
  const int64_t rows_a_run = halo != 0 ? 1 : taps == 1 ? block.samples * block.rows : block.rows;
  const int64_t runs = block.samples * block.rows / rows_a_run, count = rows_a_run * block.tiles - halo;
  for (int64_t tap = 0; tap < taps; ++tap)
    for (int64_t c = 0; c < channels; c += gradient_rows) {
      for (int64_t run = 0; run < runs; ++run) {
        const int64_t row = run * rows_a_run, sample = row / block.rows;
        const int64_t v_tile = (sample * v_rows + row % block.rows + tap) * block.tiles + halo;
        const int64_t g_row = sample * rows.per_sample + rows.first + row % block.rows;
        accumulate_outer(v.data + p * v.point_stride() + c / width * v.channel_stride() + v_tile * width + c % width,
                         gradient + (g_row * block.tiles + halo) * width, count, sums + (tap * channels + c) * width,
                         accumulate || run > 0);
      }
      between();
    }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
