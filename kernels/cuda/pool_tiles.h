// What the fused blocks share: y cut into tiles, one a pooling window, and the gradient at the winners.
#pragma once

#include "kernels/activation_formulas.h"
#include "kernels/cuda/channel_statistics.h"
#include "kernels/pool2d.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

// One axis of y: windows side by side, and behind them a shorter one where the axis is no multiple of their size. Every
// place lies in one of them.
struct TileAxis {
  Divider size, length, tiles;
  int64_t windows;  // the whole tiles, which have an output

  TileAxis(const Window& window, int64_t of_y)
      : size(window.size), length(of_y), tiles((of_y + window.size - 1) / window.size), windows(window.output(of_y)) {}

  __device__ __forceinline__ int64_t begin(int64_t tile) const { return tile * size.divisor(); }
  __device__ __forceinline__ int64_t end(int64_t tile) const {
    return std::min(begin(tile) + size.divisor(), length.divisor());
  }
};

struct Tile {
  int64_t sample, row, column;
};

struct Tiles {
  TileAxis rows, columns;
  Divider channels;
  int64_t count;

  explicit Tiles(const Pool2dProblem& p)
      : rows(p.rows, p.h),
        columns(p.columns, p.w),
        channels(p.c),
        count(p.n * rows.tiles.divisor() * columns.tiles.divisor()) {}

  __device__ __forceinline__ Tile tile(int64_t index) const {
    const int64_t column = columns.tiles.split(index);
    const int64_t row = rows.tiles.split(index);
    return {index, row, column};
  }
  __device__ __forceinline__ bool is_window(const Tile& tile) const {
    return tile.row < rows.windows && tile.column < columns.windows;
  }
  // A window's place in the pool's output, channels left out.
  __device__ __forceinline__ int64_t window(const Tile& tile) const {
    return (tile.sample * rows.windows + tile.row) * columns.windows + tile.column;
  }
  // A window's element of z.
  __device__ __forceinline__ int64_t output(const Tile& tile, int64_t channel) const {
    return window(tile) * channels.divisor() + channel;
  }
  __device__ __forceinline__ int64_t pixel(int64_t sample, int64_t row, int64_t column) const {
    return (sample * rows.length.divisor() + row) * columns.length.divisor() + column;
  }
  // Calls body(pixel of y, place in the window) for each of a tile's places, in row order.
  template <class Body>
  __device__ __forceinline__ void for_each(const Tile& tile, const Body& body) const {
    const int64_t first_row = rows.begin(tile.row), first_column = columns.begin(tile.column);
    MELGRAD_NO_UNROLL  // rows and columns in flight at once would cost registers, and spills
        for (int64_t row = first_row; row < rows.end(tile.row); ++row) {
      const int64_t line = pixel(tile.sample, row, 0);
      int place = static_cast<int>((row - first_row) * columns.size.divisor());
      MELGRAD_NO_UNROLL
      for (int64_t column = first_column; column < columns.end(tile.column); ++column) body(line + column, place++);
    }
  }
};

// A block's activation, one that never decreases. Chosen at run time: all threads take the same branch.
struct BlockActivation {
  Activation function;
  float alpha;

  explicit BlockActivation(ActivationChoice choice)
      : function(choice.function), alpha(static_cast<float>(choice.alpha)) {}

  __device__ __forceinline__ float operator()(float x) const {
    if (function == Activation::relu) return activate<Activation::relu>(x, alpha);
    if (function == Activation::leaky_relu) return activate<Activation::leaky_relu>(x, alpha);
    if (function == Activation::elu) return activate<Activation::elu>(x, alpha);
    return x;
  }
  // f' dz, by z = f(…).
  __device__ __forceinline__ float gradient(float z, float dz) const {
    if (function == Activation::relu) return activation_gradient<Activation::relu>(z, dz, alpha);
    if (function == Activation::leaky_relu) return activation_gradient<Activation::leaky_relu>(z, dz, alpha);
    if (function == Activation::elu) return activation_gradient<Activation::elu>(z, dz, alpha);
    return dz;
  }
};

// The gradient at y*: dz where f passes it.
struct PooledGradient {
  Global<const float> pooled, dz, mean, scale, shift;  // z = f((pooled - mean) · scale + shift)
  int64_t channels;
  BlockActivation f;

  __device__ __forceinline__ float distance(int64_t i, int64_t channel) const { return pooled[i] - mean[channel]; }
  __device__ __forceinline__ float at(int64_t i, int64_t channel) const {
    return f.gradient(f(distance(i, channel) * scale[channel] + shift[channel]), dz[i]);
  }
};

// Sums g and g · (y* - mean) over winners, and keeps g.
struct WinnerSums : SumOfTwo {
  PooledGradient gradient;
  Global<float> g;

  WinnerSums(const PooledGradient& of, Global<float> kept) : gradient(of), g(kept) {}
  __device__ void add(TwoSums& sums, int64_t, int64_t row, int64_t channel) const {
    const int64_t i = row * gradient.channels + channel;
    const float here = gradient.at(i, channel);
    g[i] = here;
    sums.first += here;
    sums.second += here * gradient.distance(i, channel);
  }
};

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
