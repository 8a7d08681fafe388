// Windows on a GPU: which elements a window covers, and which windows cover an element. For pools and convolutions.
#pragma once

#include "kernels/cuda/helpers.h"
#include "kernels/pool2d.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

// One axis of a pool or convolution, with what its index arithmetic divides by.
struct WindowAxis {
  Window window;
  Divider stride, taps;
  Divider length, positions;  // of x and of y along this axis

  WindowAxis(const Window& of_axis, int64_t of_x)
      : window(of_axis), stride(of_axis.stride), taps(of_axis.size), length(of_x), positions(of_axis.output(of_x)) {}

  // Calls body(tap, element) for every tap of the window at `position` that lies inside.
  template <class Body>
  __device__ __forceinline__ void for_each_tap(int64_t position, const Body& body) const {
    int64_t element = position * window.stride - window.pad_before;
    for (int64_t tap = 0; tap < window.size; ++tap, element += window.dilation)
      if (element >= 0 && element < length.divisor()) body(tap, element);
  }

  // The position whose tap `tap` reads `element`, or -1.
  __device__ __forceinline__ int64_t position_of(int64_t element, int64_t tap) const {
    int64_t position = element + window.pad_before - tap * window.dilation;
    if (position < 0 || stride.split(position) != 0) return -1;
    return position < positions.divisor() ? position : -1;
  }
  // Calls body(tap, position) for every window that covers `element`.
  template <class Body>
  __device__ __forceinline__ void for_each_cover(int64_t element, const Body& body) const {
    for (int64_t tap = 0; tap < window.size; ++tap) {
      const int64_t position = position_of(element, tap);
      if (position >= 0) body(tap, position);
    }
  }
};

// x (n, h, w, c) and y (n, h_out, w_out, c) of a pool.
struct PoolAxes {
  WindowAxis rows, columns;
  Divider channels;

  explicit PoolAxes(const Pool2dProblem& p) : rows(p.rows, p.h), columns(p.columns, p.w), channels(p.c) {}

  // Element `index` of y, or of x.
  struct Place {
    int64_t sample, row, column, channel;
  };
  __device__ __forceinline__ Place of_output(int64_t index) const {
    const int64_t channel = channels.split(index);
    const int64_t column = columns.positions.split(index);
    const int64_t row = rows.positions.split(index);
    return {index, row, column, channel};
  }
  __device__ __forceinline__ Place of_input(int64_t index) const {
    const int64_t channel = channels.split(index);
    const int64_t column = columns.length.split(index);
    const int64_t row = rows.length.split(index);
    return {index, row, column, channel};
  }
  __device__ __forceinline__ int64_t output(const Place& at, int64_t row, int64_t column) const {
    return ((at.sample * rows.positions.divisor() + row) * columns.positions.divisor() + column) * channels.divisor() +
           at.channel;
  }
  __device__ __forceinline__ int64_t input(const Place& at, int64_t row, int64_t column) const {
    return ((at.sample * rows.length.divisor() + row) * columns.length.divisor() + column) * channels.divisor() +
           at.channel;
  }
};

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
