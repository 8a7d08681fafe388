// What a fused block multiplies (kernels/conv_block.h), as operands of kernels/cuda/gemm.h beside those of
// conv2d_operands.h: x with the norm of the block before applied as it is loaded, and dy as it is rebuilt from y. Neither
// is stored anywhere.
#pragma once

#include "kernels/conv_block.h"
#include "kernels/cuda/conv2d_operands.h"
#include "kernels/cuda/pool_tiles.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

// ---- what a block reads

// f(scale · (x - center) + shift), or x itself.
struct PendingInput {
  struct Norm {
    float center, scale, shift;
  };
  Global<const float> x, center, scale, shift;
  bool pending;
  BlockActivation f;

  explicit PendingInput(const BlockInput& input)
      : x(global<const float>(input.values)), pending(input.norm != nullptr), f(Activation::linear) {
    if (!pending) return;
    center = global<const float>(input.norm->center);
    scale = global<const float>(input.norm->scale);
    shift = global<const float>(input.norm->shift);
    f = BlockActivation(input.norm->activation);
  }

  __device__ __forceinline__ Norm norm(int64_t channel) const {
    if (!pending) return {0.0f, 1.0f, 0.0f};
    return {center[channel], scale[channel], shift[channel]};
  }
  // Padding is padding of what the norm gives.
  __device__ __forceinline__ float element(const ConvShape& shape, const PixelStart& pixel, const PatchPlace& place,
                                           const Norm& norm) const {
    const int64_t index = patch_index(shape, pixel, place);
    if (index < 0) return 0.0f;
    return f(norm.scale * (x[index] - norm.center) + norm.shift);
  }
};

struct NormedPlace {
  PatchPlace place{};
  PendingInput::Norm norm{};
};
__device__ __forceinline__ NormedPlace normed_place(const ConvShape& shape, const PendingInput& input,
                                                    int64_t element) {
  if (element >= shape.patch()) return {{far_away, 0, 0}, {}};
  const PatchPlace place = place_in_patch(shape, element, 0);
  return {place, input.norm(place.channel)};
}

// Forward. Lines are pixels of y in the order of the pool: window after window, row by row within each, so that a tile of
// the product holds whole windows. Windows at the edge have lines without a pixel.
struct PatchesByWindow {
  static constexpr bool steps_are_inner = true;
  using Line = PixelStart;
  using Step = NormedPlace;
  ConvShape shape;
  PendingInput input;
  Tiles tiles;
  Divider window_size;

  PatchesByWindow(const BlockProblem& p, const BlockInput& of_x)
      : shape(p.conv), input(of_x), tiles(p.pool()), window_size(p.pool_rows.size * p.pool_columns.size) {}

  __device__ __forceinline__ Line line(int64_t index) const {
    int64_t place_row = window_size.split(index);
    if (index >= tiles.count) return {0, far_away, 0};
    const Tile tile = tiles.tile(index);
    const int64_t place_column = tiles.columns.size.split(place_row);
    const int64_t row = tiles.rows.begin(tile.row) + place_row,
                  column = tiles.columns.begin(tile.column) + place_column;
    if (row >= tiles.rows.length.divisor() || column >= tiles.columns.length.divisor()) return {0, far_away, 0};
    return start_at(shape, tile.sample, row, column);
  }
  __device__ __forceinline__ Step step(int64_t element) const { return normed_place(shape, input, element); }
  __device__ __forceinline__ float load(const Line& line, const Step& step) const {
    return input.element(shape, line, step.place, step.norm);
  }
};

// Weight gradient: lines are the elements of a patch, steps the pixels of y as they lie.
struct PendingPatchesTransposed {
  static constexpr bool steps_are_inner = false;
  using Line = NormedPlace;
  using Step = PixelStart;
  ConvShape shape;
  PendingInput input;

  __device__ __forceinline__ Line line(int64_t element) const { return normed_place(shape, input, element); }
  __device__ __forceinline__ Step step(int64_t pixel) const { return start_of_pixel(shape, pixel); }
  __device__ __forceinline__ float load(const Line& line, const Step& step) const {
    return input.element(shape, step, line.place, line.norm);
  }
};

// ---- dy

// dy = g · scale at a window's winner, and (y - mean) · slope + offset everywhere.
struct RebuiltGradient {
  struct Channel {
    int64_t channel;  // below 0: none
    float mean, scale, slope, offset;
  };
  struct Position {
    int64_t pixel;   // of y; below 0: none
    int64_t window;  // of the pool's output; below 0: none
    int32_t place;
  };
  Tiles tiles;
  Global<const float> y, mean, g;
  Global<const uint8_t> argmax;
  Coefficients coefficients;

  __device__ __forceinline__ Channel channel(int64_t channel) const {
    return {channel, mean[channel], coefficients.get(Coefficients::scale, channel),
            coefficients.get(Coefficients::slope, channel), coefficients.get(Coefficients::offset, channel)};
  }
  __device__ __forceinline__ Position position(int64_t sample, int64_t row, int64_t column) const {
    Tile tile{sample, row, column};
    const int64_t row_in_tile = tiles.rows.size.split(tile.row), column_in_tile = tiles.columns.size.split(tile.column);
    return {tiles.pixel(sample, row, column), tiles.is_window(tile) ? tiles.window(tile) : -1,
            static_cast<int32_t>(row_in_tile * tiles.columns.size.divisor() + column_in_tile)};
  }
  __device__ __forceinline__ float element(const Position& at, const Channel& of) const {
    if (at.pixel < 0 || of.channel < 0) return 0.0f;
    const int64_t channels = tiles.channels.divisor();
    const float everywhere = (y[at.pixel * channels + of.channel] - of.mean) * of.slope + of.offset;
    if (at.window < 0) return everywhere;
    const int64_t output = at.window * channels + of.channel;
    return argmax[output] == at.place ? everywhere + g[output] * of.scale : everywhere;
  }
};

// The data gradient's patches of dy, around a pixel of x.
struct PatchesOfRebuilt {
  static constexpr bool steps_are_inner = true;
  using Line = InputPlace;
  struct Step {
    int32_t tap_row, tap_column;
    RebuiltGradient::Channel channel;
  };
  ConvShape shape;
  RebuiltGradient gradient;

  __device__ __forceinline__ Line line(int64_t pixel) const { return place_of_input(shape, pixel); }
  __device__ __forceinline__ Step step(int64_t element) const {
    const int64_t channel = shape.group_o.split(element);
    if (element >= shape.taps()) return {0, 0, {-1, 0.0f, 0.0f, 0.0f, 0.0f}};
    const int64_t tap_column = shape.columns.taps.split(element);
    return {static_cast<int32_t>(element), static_cast<int32_t>(tap_column), gradient.channel(channel)};
  }
  __device__ __forceinline__ float load(const Line& line, const Step& step) const {
    const int64_t row = shape.rows.position_of(line.row, step.tap_row);
    const int64_t column = shape.columns.position_of(line.column, step.tap_column);
    if (row < 0 || column < 0) return 0.0f;
    return gradient.element(gradient.position(line.sample, row, column), step.channel);
  }
};

// The weight gradient's: lines are channels, steps pixels of y.
struct RowsOfRebuilt {
  static constexpr bool steps_are_inner = false;
  using Line = RebuiltGradient::Channel;
  using Step = RebuiltGradient::Position;
  RebuiltGradient gradient;
  int64_t pixels;

  __device__ RowsOfRebuilt moved(int64_t) const { return *this; }  // there is one group
  __device__ __forceinline__ Line line(int64_t channel) const {
    if (channel >= gradient.tiles.channels.divisor()) return {-1, 0.0f, 0.0f, 0.0f, 0.0f};
    return gradient.channel(channel);
  }
  __device__ __forceinline__ Step step(int64_t pixel) const {
    if (pixel >= pixels) return {-1, -1, 0};
    const int64_t column = gradient.tiles.columns.length.split(pixel);
    const int64_t row = gradient.tiles.rows.length.split(pixel);
    return gradient.position(pixel, row, column);
  }
  __device__ __forceinline__ float load(const Line& line, const Step& step) const {
    return gradient.element(step, line);
  }
};

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
