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
  int64_t row(int64_t piece) const { return piece / per_row; }  // of all samples' windows
  int64_t first(int64_t piece) const { return piece % per_row * length; }
  int64_t windows(int64_t piece) const { return std::min(length, pool.w_out() - first(piece)); }
};

// The part of x that a piece reads, zeros where it is padding, and where in it each product's number lies.
struct Patch {
  const float* data;
  int64_t window_step;             // from one window to the next
  std::vector<int64_t> positions;  // of the windows' taps
  int64_t taps[most_taps];         // of the convolution, from a position
};

class PatchReader {
 public:
  explicit PatchReader(const BlockProblem& problem) : p_(problem.conv) {
    const Window &rows = problem.pool_rows, &columns = problem.pool_columns;
    high_ = (rows.size - 1) * p_.rows.stride + p_.rows.extent();
    wide_ = (Pieces(problem).length * columns.size - 1) * p_.columns.stride + p_.columns.extent();
    patch_.window_step = columns.size * p_.columns.stride;
    for (int64_t tap = 0; tap < rows.size * columns.size; ++tap)
      patch_.positions.push_back(tap / columns.size * p_.rows.stride * wide_ + tap % columns.size * p_.columns.stride);
    for (int64_t k = 0; k < p_.taps(); ++k)
      patch_.taps[k] = k / p_.columns.size * p_.rows.dilation * wide_ + k % p_.columns.size * p_.columns.dilation;
    pool_rows_ = rows.size;
    pool_columns_ = columns.size;
  }

  int64_t high() const { return high_; }
  int64_t wide() const { return wide_; }

  const Patch& read(const Pieces& pieces, int64_t piece, const float* x) {
    const int64_t row = pieces.row(piece), sample = row / pieces.pool.h_out(), i = row % pieces.pool.h_out();
    const int64_t top = p_.rows.input(i * pool_rows_, 0),
                  left = p_.columns.input(pieces.first(piece) * pool_columns_, 0);
    float* to = thread_scratch(Scratch::patches, high_ * wide_);
    patch_.data = to;
    const int64_t begin = std::clamp<int64_t>(-left, 0, wide_), end = std::clamp<int64_t>(p_.w - left, begin, wide_);
    for (int64_t r = 0; r < high_; ++r, to += wide_) {
      const bool inside = top + r >= 0 && top + r < p_.h;
      std::fill_n(to, inside ? begin : wide_, 0.0f);
      if (!inside) continue;
      const float* from = x + (sample * p_.h + top + r) * p_.w + left;
      std::copy(from + begin, from + end, to + begin);
      std::fill(to + end, to + wide_, 0.0f);
    }
    return patch_;
  }

 private:
  Conv2dProblem p_;
  int64_t high_, wide_, pool_rows_, pool_columns_;
  Patch patch_;
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
