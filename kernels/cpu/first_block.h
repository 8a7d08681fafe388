// Parts of the first block (kernels/first_block.h) on the CPU: how rows of windows are cut into pieces, and how x is read.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/cpu/gemm.h"
#include "kernels/first_block.h"
#include "kernels/reference/block.h"

namespace melgrad::cpu {

// first_block_statistics in f32, of a problem turned on its side (as_one_row).
void first_block_moments(Stream& stream, const BlockProblem& problem, const float* x, const float* weight, float* mean,
                         float* variance, double* moments);

constexpr int64_t piece_windows = 96;  // of one row of windows; their z stays in the L1 and L2 cache
constexpr int most_taps = 16;

// What each tap reads for outputs [j, j + count) of output row i, zeros where it is padding: tap by tap, `room` apart.
template <class T>
void gather_taps(const Conv2dProblem& p, const float* sample, int64_t i, int64_t j, int64_t count, int64_t room,
                 T* to) {
  for (int64_t k = 0; k < p.taps(); ++k, to += room) {
    const int64_t row = p.rows.input(i, k / p.columns.size);
    std::fill_n(to, count, T{0});
    if (row < 0 || row >= p.h) continue;
    const int64_t first = p.columns.input(j, k % p.columns.size), stride = p.columns.stride;
    const int64_t begin = first < 0 ? (stride - 1 - first) / stride : 0;
    const int64_t end = first < p.w ? std::min(count, (p.w - first + stride - 1) / stride) : 0;
    const float* from = sample + row * p.w + first;
    for (int64_t t = begin; t < end; ++t) to[t] = static_cast<T>(from[t * stride]);
  }
}

constexpr int64_t pieces_a_task = 8;

// Rows of windows cut into pieces.
struct Pieces {
  BlockProblem block;
  Pool2dProblem pool;
  int64_t per_row, length;

  explicit Pieces(const BlockProblem& problem)
      : block(problem),
        pool(problem.pool()),
        per_row((pool.w_out() + piece_windows - 1) / piece_windows),
        length((pool.w_out() + per_row - 1) / per_row) {}
  int64_t count() const { return pool.n * pool.h_out() * per_row; }
  int64_t tasks() const { return (count() + pieces_a_task - 1) / pieces_a_task; }
  int64_t sample(int64_t piece) const { return piece / per_row / pool.h_out(); }
  int64_t row(int64_t piece) const { return piece / per_row % pool.h_out(); }
  int64_t first(int64_t piece) const { return piece % per_row * length; }
  int64_t windows(int64_t piece) const { return std::min(length, pool.w_out() - first(piece)); }
};

// The part of x that neighbouring windows of one row read, and where in it each product's number lies.
class PatchReader {
 public:
  PatchReader(const BlockProblem& problem, int64_t windows)  // as many at most
      : p_(problem.conv), pool_rows_(problem.pool_rows.size), pool_columns_(problem.pool_columns.size) {
    high = (pool_rows_ - 1) * p_.rows.stride + p_.rows.extent();
    wide = (windows * pool_columns_ - 1) * p_.columns.stride + p_.columns.extent();
    window_step = pool_columns_ * p_.columns.stride;
    for (int64_t tap = 0; tap < pool_rows_ * pool_columns_; ++tap)
      positions.push_back(tap / pool_columns_ * p_.rows.stride * wide + tap % pool_columns_ * p_.columns.stride);
    for (int64_t k = 0; k < p_.taps(); ++k)
      taps[k] = k / p_.columns.size * p_.rows.dilation * wide + k % p_.columns.size * p_.columns.dilation;
  }

  // What the windows from (i, j) on read, in scratch of this thread; zeros where that is padding.
  const float* read(const float* x, int64_t sample, int64_t i, int64_t j) const {
    const int64_t top = first_row(i), left = first_column(j);
    float* const patch = thread_scratch(Scratch::patches, high * wide);
    float* to = patch;
    const int64_t begin = std::clamp<int64_t>(-left, 0, wide), end = std::clamp<int64_t>(p_.w - left, begin, wide);
    for (int64_t r = 0; r < high; ++r, to += wide) {
      const bool inside = top + r >= 0 && top + r < p_.h;
      std::fill_n(to, inside ? begin : wide, 0.0f);
      if (!inside) continue;
      const float* from = x + (sample * p_.h + top + r) * p_.w + left;
      std::copy(from + begin, from + end, to + begin);
      std::fill(to + end, to + wide, 0.0f);
    }
    return patch;
  }
  // Where in x the windows of row i and column j begin.
  int64_t first_row(int64_t i) const { return p_.rows.input(i * pool_rows_, 0); }
  int64_t first_column(int64_t j) const { return p_.columns.input(j * pool_columns_, 0); }

  int64_t high, wide;              // rows and columns of x
  int64_t window_step;             // from one window to the next
  std::vector<int64_t> positions;  // of a window's taps
  int64_t taps[most_taps];         // of the convolution, from a position

 private:
  Conv2dProblem p_;
  int64_t pool_rows_, pool_columns_;
};

// What each channel is computed with, channels padded to a multiple of `width`. Where gamma < 0 weights and mean change their sign, so that the
// winner of a window is the largest in either case.
struct Channels {
  int64_t count, padded, taps;
  std::vector<float> weight, scale, center, beta;  // weight (taps, padded)

  Channels(const BlockProblem& problem, int64_t width, const float* w, const float* gamma, const float* shift,
           const float* mean, const float* variance)
      : count(problem.conv.o),
        padded((count + width - 1) / width * width),
        taps(problem.conv.taps()),
        weight(static_cast<std::size_t>(taps * padded)),
        scale(static_cast<std::size_t>(padded)),
        center(scale),
        beta(scale) {
    for (int64_t c = 0; c < count; ++c) {
      const float sign = gamma[c] < 0 ? -1.0f : 1.0f;
      for (int64_t k = 0; k < taps; ++k) weight[k * padded + c] = sign * w[k * count + c];
      scale[c] = sign * reference::block_scale(problem, gamma[c], variance[c]);
      center[c] = sign * mean[c];
      beta[c] = shift[c];
    }
  }
};

}  // namespace melgrad::cpu
