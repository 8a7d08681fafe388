// The matrices that a convolution multiplies, as operands of kernels/cuda/gemm.h: nothing is copied out, an element is
// fetched from where it lies in x, dy or the weight.
//
//   forward          y (pixels of y, o)     = patches of x  (pixels of y, taps · c) × weight  (taps · c, o)
//   data gradient    dx (pixels of x, c)    = patches of dy (pixels of x, taps · o) × weight' (taps · o, c)
//   weight gradient  dw (taps · c, o)       = patches of x' (taps · c, pixels of y) × dy      (pixels of y, o)
//
// All of one group.
#pragma once

#include "kernels/conv2d.h"
#include "kernels/cuda/windows.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

// A convolution's sizes and what its index arithmetic divides by.
struct ConvShape {
  WindowAxis rows, columns;
  Divider group_c, group_o;
  int64_t c, o, pixels_of_x, pixels_of_y;

  explicit ConvShape(const Conv2dProblem& p)
      : rows(p.rows, p.h),
        columns(p.columns, p.w),
        group_c(p.group_c()),
        group_o(p.group_o()),
        c(p.c),
        o(p.o),
        pixels_of_x(p.n * p.h * p.w),
        pixels_of_y(p.n * p.h_out() * p.w_out()) {}

  MELGRAD_HOST_DEVICE int64_t taps() const { return rows.window.size * columns.window.size; }
  MELGRAD_HOST_DEVICE int64_t patch() const { return taps() * group_c.divisor(); }
};

// A place along an axis that no tap reaches; axes are shorter (expect_places), so 32 bits do for places, of
// which a thread holds many.
inline constexpr int32_t far_away = 1 << 30;

inline void expect_places(const Conv2dProblem& p) {
  require(std::max(p.h, p.w) + std::max(p.rows.extent(), p.columns.extent()) < far_away,
          "conv2d: an image of {} x {} is too large for this device", p.h, p.w);
}

// Where a pixel of y begins to read in x: its sample's first pixel, the row and column of the first tap.
struct PixelStart {
  int64_t sample;
  int32_t row, column;
};

__device__ __forceinline__ PixelStart start_at(const ConvShape& shape, int64_t sample, int64_t row, int64_t column) {
  return {sample * shape.rows.length.divisor() * shape.columns.length.divisor(),
          static_cast<int32_t>(row * shape.rows.window.stride - shape.rows.window.pad_before),
          static_cast<int32_t>(column * shape.columns.window.stride - shape.columns.window.pad_before)};
}
__device__ __forceinline__ PixelStart start_of_pixel(const ConvShape& shape, int64_t pixel) {
  if (pixel >= shape.pixels_of_y) return {0, far_away, 0};
  const int64_t column = shape.columns.positions.split(pixel);
  const int64_t row = shape.rows.positions.split(pixel);
  return start_at(shape, pixel, row, column);
}

// How far from there an element of a patch lies, and its channel.
struct PatchPlace {
  int32_t row, column;
  int64_t channel;
};

__device__ __forceinline__ PatchPlace place_in_patch(const ConvShape& shape, int64_t element, int64_t first_channel) {
  if (element >= shape.patch()) return {far_away, 0, 0};
  const int64_t channel = shape.group_c.split(element);
  int64_t tap_row = element;
  const int64_t tap_column = shape.columns.taps.split(tap_row);
  return {static_cast<int32_t>(tap_row * shape.rows.window.dilation),
          static_cast<int32_t>(tap_column * shape.columns.window.dilation), first_channel + channel};
}

// Where that is in x; below 0 if it is padding.
__device__ __forceinline__ int64_t patch_index(const ConvShape& shape, const PixelStart& pixel,
                                               const PatchPlace& place) {
  const int64_t row = int64_t{pixel.row} + place.row, column = int64_t{pixel.column} + place.column;
  const int64_t h = shape.rows.length.divisor(), w = shape.columns.length.divisor();
  if (row < 0 || row >= h || column < 0 || column >= w) return -1;
  return (pixel.sample + row * w + column) * shape.c + place.channel;
}
__device__ __forceinline__ float patch_element(const ConvShape& shape, Global<const float> x, const PixelStart& pixel,
                                               const PatchPlace& place) {
  const int64_t index = patch_index(shape, pixel, place);
  return index < 0 ? 0.0f : x[index];
}

// Forward: lines are pixels of y, steps the elements of a patch, whose channels are neighbours.
struct Patches {
  static constexpr bool steps_are_inner = true;
  using Line = PixelStart;
  using Step = PatchPlace;
  ConvShape shape;
  Global<const float> x;
  int64_t first_channel = 0;

  __device__ __forceinline__ Line line(int64_t pixel) const { return start_of_pixel(shape, pixel); }
  __device__ __forceinline__ Step step(int64_t element) const { return place_in_patch(shape, element, first_channel); }
  __device__ __forceinline__ float load(const Line& line, const Step& step) const {
    return patch_element(shape, x, line, step);
  }
};

// Weight gradient: the same transposed.
struct PatchesTransposed {
  static constexpr bool steps_are_inner = false;
  using Line = PatchPlace;
  using Step = PixelStart;
  ConvShape shape;
  Global<const float> x;
  int64_t first_channel = 0;

  __device__ __forceinline__ Line line(int64_t element) const { return place_in_patch(shape, element, first_channel); }
  __device__ __forceinline__ Step step(int64_t pixel) const { return start_of_pixel(shape, pixel); }
  __device__ __forceinline__ float load(const Line& line, const Step& step) const {
    return patch_element(shape, x, step, line);
  }
};

// ---- one dimension without holes: overlapping rows

// Where x is one row (as_one_row of kernels/conv2d.h) and neither dilation nor groups cut a patch up, the patch is a run of neighbouring floats of its sample, and the next patch begins stride · c further on: no index is divided.
// A run may begin before the sample or end behind it, in the padding.
struct RunOfSample {
  int64_t begin;           // of the patch, in x
  int64_t before, behind;  // elements of the patch from `before` on, and before `behind`, lie in the sample
};

struct LineShape {
  Divider positions;
  int64_t length, c, stride, pad_before, patch, pixels;

  explicit LineShape(const Conv2dProblem& row)
      : positions(row.w_out()),
        length(row.w),
        c(row.c),
        stride(row.columns.stride),
        pad_before(row.columns.pad_before),
        patch(row.columns.size * row.c),
        pixels(row.n * row.w_out()) {}

  __device__ __forceinline__ RunOfSample run_of(int64_t pixel) const {
    if (pixel >= pixels) return {0, 1, 0};
    const int64_t start = positions.split(pixel) * stride - pad_before;
    return {(pixel * length + start) * c, -start * c, std::min(patch, (length - start) * c)};
  }
  __device__ __forceinline__ static float element(Global<const float> x, const RunOfSample& run, int64_t i) {
    if (i < run.before || i >= run.behind) return 0.0f;
    return x[run.begin + i];
  }
};

struct OverlappingRows {
  static constexpr bool steps_are_inner = true;
  using Line = RunOfSample;
  using Step = int64_t;
  LineShape shape;
  Global<const float> x;

  __device__ __forceinline__ Line line(int64_t pixel) const { return shape.run_of(pixel); }
  __device__ __forceinline__ Step step(int64_t element) const { return element; }
  __device__ __forceinline__ float load(const Line& line, const Step& step) const {
    return LineShape::element(x, line, step);
  }
};

struct OverlappingRowsTransposed {
  static constexpr bool steps_are_inner = false;
  using Line = int64_t;
  using Step = RunOfSample;
  LineShape shape;
  Global<const float> x;

  __device__ __forceinline__ Line line(int64_t element) const { return element; }
  __device__ __forceinline__ Step step(int64_t pixel) const { return shape.run_of(pixel); }
  __device__ __forceinline__ float load(const Line& line, const Step& step) const {
    return LineShape::element(x, step, line);
  }
};

// ---- the data gradient's patches: of dy, around a pixel of x

// A pixel of x; a row far away if there is none.
struct InputPlace {
  int64_t sample;
  int32_t row, column;
};
__device__ __forceinline__ InputPlace place_of_input(const ConvShape& shape, int64_t pixel) {
  if (pixel >= shape.pixels_of_x) return {0, far_away, 0};
  const int64_t column = shape.columns.length.split(pixel);
  const int64_t row = shape.rows.length.split(pixel);
  return {pixel, static_cast<int32_t>(row), static_cast<int32_t>(column)};
}

struct PatchesOfGradient {
  static constexpr bool steps_are_inner = true;
  using Line = InputPlace;
  struct Step {
    int32_t tap_row, tap_column;
    int64_t channel;  // below 0 behind the last step
  };
  ConvShape shape;
  Global<const float> dy;
  int64_t first_channel = 0;

  __device__ __forceinline__ Line line(int64_t pixel) const { return place_of_input(shape, pixel); }
  __device__ __forceinline__ Step step(int64_t element) const {
    const int64_t channel = shape.group_o.split(element);
    if (element >= shape.taps()) return {0, 0, -1};
    const int64_t tap_column = shape.columns.taps.split(element);
    return {static_cast<int32_t>(element), static_cast<int32_t>(tap_column), first_channel + channel};
  }
  __device__ __forceinline__ float load(const Line& line, const Step& step) const {
    if (step.channel < 0) return 0.0f;
    const int64_t row = shape.rows.position_of(line.row, step.tap_row);
    const int64_t column = shape.columns.position_of(line.column, step.tap_column);
    if (row < 0 || column < 0) return 0.0f;
    const int64_t height = shape.rows.positions.divisor(), width = shape.columns.positions.divisor();
    return dy[((line.sample * height + row) * width + column) * shape.o + step.channel];
  }
};

// ---- matrices that lie in memory: the weight, and dy as rows of channels

// Element (line, step) at step · apart + line.
struct RowsOfChannels {
  static constexpr bool steps_are_inner = false;
  using Line = int64_t;
  using Step = int64_t;
  Global<const float> values;
  int64_t lines, steps, apart;

  // Another group's.
  __device__ RowsOfChannels moved(int64_t elements) const { return {values + elements, lines, steps, apart}; }
  __device__ __forceinline__ Line line(int64_t line) const { return line; }
  __device__ __forceinline__ Step step(int64_t step) const { return step; }
  __device__ __forceinline__ float load(int64_t line, int64_t step) const {
    if (line >= lines || step >= steps) return 0.0f;
    return values[step * apart + line];
  }
};

// The weight as the data gradient multiplies it: lines are input channels, steps (tap, output channel).
struct WeightTransposed {
  static constexpr bool steps_are_inner = true;
  using Line = int64_t;
  using Step = int64_t;
  ConvShape shape;
  Global<const float> weight;

  __device__ WeightTransposed moved(int64_t elements) const { return {shape, weight + elements}; }
  __device__ __forceinline__ Line line(int64_t channel) const { return channel; }
  // The tap's first weight, of input channel 0.
  __device__ __forceinline__ Step step(int64_t element) const {
    const int64_t channel = shape.group_o.split(element);
    return element < shape.taps() ? element * shape.group_c.divisor() * shape.o + channel : -1;
  }
  __device__ __forceinline__ float load(int64_t line, int64_t step) const {
    if (line >= shape.group_c.divisor() || step < 0) return 0.0f;
    return weight[step + line * shape.o];
  }
};

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
