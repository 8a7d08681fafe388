// The windows of a first block (kernels/first_block.h): y at each of their positions is computed from x, for a few channels
// at once, and the winner of each channel is kept.
#pragma once

#include "kernels/cuda/pool_tiles.h"
#include "kernels/first_block.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

// Of which a window's y is computed. `taps` bounds the convolution's: loops over them are unrolled, so that what a thread
// holds of each stays in registers.
template <int taps>
struct FirstBlock {
  static constexpr int own = taps <= 4 ? 4 : 2;  // channels of a thread, `lanes` apart
  int32_t count, h, w;
  int32_t tap_rows[taps], tap_columns[taps];  // how far from a position's first number of x
  Window rows, columns;
  int32_t pool_rows, pool_columns;
  Divider window_rows, window_columns, lanes;
  int64_t channels, windows;
  Global<const float> x, weight, gamma, beta, mean, scale;
  BlockActivation f;

  FirstBlock(const BlockProblem& p, ConstView of_x, ConstView of_weight, ConstView of_gamma, ConstView of_beta,
             ConstView of_mean, ConstView of_scale)
      : count(static_cast<int32_t>(p.conv.taps())),
        h(static_cast<int32_t>(p.conv.h)),
        w(static_cast<int32_t>(p.conv.w)),
        rows(p.conv.rows),
        columns(p.conv.columns),
        pool_rows(static_cast<int32_t>(p.pool_rows.size)),
        pool_columns(static_cast<int32_t>(p.pool_columns.size)),
        window_rows(p.pool().h_out()),
        window_columns(p.pool().w_out()),
        lanes((p.conv.o + own - 1) / own),
        channels(p.conv.o),
        windows(p.pool().n * p.pool().h_out() * p.pool().w_out()),
        x(global<const float>(of_x)),
        weight(global<const float>(of_weight)),
        gamma(global<const float>(of_gamma)),
        beta(global<const float>(of_beta)),
        mean(global<const float>(of_mean)),
        scale(global<const float>(of_scale)),
        f(p.activation) {
    for (int k = 0; k < taps; ++k) {
      tap_rows[k] = static_cast<int32_t>(k / columns.size * rows.dilation);
      tap_columns[k] = static_cast<int32_t>(k % columns.size * columns.dilation);
    }
  }

  __device__ __forceinline__ int64_t channel(int64_t lane, int j) const { return lane + j * lanes.divisor(); }

  // Where a position of y begins to read in x.
  struct Place {
    int64_t sample;
    int32_t row, column;
  };
  __device__ __forceinline__ Place first_of(int32_t window) const {
    const int32_t column = window_columns.split(window) * pool_columns, row = window_rows.split(window) * pool_rows;
    return {int64_t{window} * h * w, static_cast<int32_t>(rows.input(row, 0)),
            static_cast<int32_t>(columns.input(column, 0))};
  }
  __device__ __forceinline__ float element(const Place& at, int k) const {
    const int32_t row = at.row + tap_rows[k], column = at.column + tap_columns[k];
    if (row < 0 || row >= h || column < 0 || column >= w) return 0.0f;
    return x[at.sample + int64_t{row} * w + column];
  }

  // The winners of a window in a thread's channels.
  struct Winners {
    float y[own];
    Place at[own];
  };
  __device__ __forceinline__ Winners winners(int64_t window, int64_t lane) const {
    float weights[own][taps];
    bool smallest[own];
    MELGRAD_UNROLL
    for (int j = 0; j < own; ++j) {
      const bool there = channel(lane, j) < channels;
      smallest[j] = there && gamma[channel(lane, j)] < 0.0f;
      MELGRAD_UNROLL
      for (int k = 0; k < taps; ++k)
        weights[j][k] = there && k < count ? weight[k * channels + channel(lane, j)] : 0.0f;
    }
    const Place first = first_of(static_cast<int32_t>(window));  // the host has seen that 32 bits do
    Winners best;
    MELGRAD_NO_UNROLL
    for (int row = 0; row < pool_rows; ++row) {
      MELGRAD_NO_UNROLL
      for (int column = 0; column < pool_columns; ++column) {
        const Place at{first.sample, first.row + row * static_cast<int32_t>(rows.stride),
                       first.column + column * static_cast<int32_t>(columns.stride)};
        float y[own] = {};
        MELGRAD_UNROLL
        for (int k = 0; k < taps; ++k) {
          if (k >= count) continue;
          const float value = element(at, k);
          MELGRAD_UNROLL
          for (int j = 0; j < own; ++j) y[j] += weights[j][k] * value;
        }
        MELGRAD_UNROLL
        for (int j = 0; j < own; ++j) {
          if (row + column != 0 && !(smallest[j] ? y[j] < best.y[j] : y[j] > best.y[j])) continue;
          best.y[j] = y[j];
          best.at[j] = at;
        }
      }
    }
    return best;
  }
  __device__ __forceinline__ float z(float y, int64_t channel) const {
    return f(scale[channel] * (y - mean[channel]) + beta[channel]);
  }
};

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
