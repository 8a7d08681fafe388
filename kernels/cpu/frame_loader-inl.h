// Frames side by side, one a lane, out of a signal in which they overlap.
//
// Sample n of frame t is x[t · hop + n]. The table T[r][c] = x[(first + c) · hop + r], r < hop, is the signal written in
// rows of hop, transposed: sample n of the frames from t on lies at T[n mod hop][t - first + n / hop], side by side. So
// each sample is transposed once and not once for every frame that it is part of.
//
// Included once for each target; see Highway's foreach_target.
#include <hwy/cache_control.h>

#include "kernels/cpu/signal_reader.h"
#include "kernels/cpu/vectors-inl.h"

#if defined(MELGRAD_KERNELS_CPU_FRAME_LOADER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_FRAME_LOADER_INL_H_
#undef MELGRAD_KERNELS_CPU_FRAME_LOADER_INL_H_
#else
#define MELGRAD_KERNELS_CPU_FRAME_LOADER_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

constexpr int64_t round_up(int64_t n, int64_t step) {
  return (n + step - 1) / step * step;
}

class FrameLoader {
 public:
  FrameLoader(int64_t n_fft, int64_t hop, int64_t padding) : hop_(hop), padding_(padding) {
    rows_ = round_up(std::min(n_fft, hop), vector_lanes);
    // Four groups a table share its last columns, but a table should stay in the second level of cache.
    constexpr int64_t table_bytes = 256 << 10;
    groups_ = std::clamp<int64_t>(table_bytes / (rows_ * vector_lanes * 4), 1, 64 / vector_lanes);
    overlap_ = (n_fft - 1) / hop;
    columns_ = groups_ * vector_lanes + round_up(overlap_, vector_lanes);
    require(rows_ * columns_ < (int64_t{1} << 31), "spectral_bands: frames of {} with hop {} are too large", n_fft,
            hop);
    for (int64_t n = 0; n < n_fft; ++n) offsets_.push_back(static_cast<int32_t>(n % hop * columns_ + n / hop));
  }

  int64_t frames() const { return groups_ * vector_lanes; }  // that a table holds
  const int32_t* offsets() const { return offsets_.data(); }
  int64_t workspace() const { return rows_ * columns_ + rows_ * vector_lanes; }  // floats

  // The table of frames first … first + count - 1, count <= frames(). table (workspace()), aligned.
  void load(const SignalReader& signal, int64_t first, int64_t count, float* table) const {
    float* edge = table + rows_ * columns_;
    const int64_t used = round_up(count, vector_lanes) + overlap_;
    constexpr int64_t few = vector_lanes / 4;  // columns that cost less one by one than a transposition
    int64_t c = 0;
    for (; c < used - few; c += vector_lanes) {
      const int64_t begin = (first + c) * hop_ - padding_;
      const float* from = signal.find(begin, (vector_lanes - 1) * hop_ + rows_);
      if (from != nullptr) {
        transpose_columns(from, hop_, table + c);
        continue;
      }
      for (int64_t lane = 0; lane < vector_lanes; ++lane) signal.copy(begin + lane * hop_, rows_, edge + lane * rows_);
      transpose_columns(edge, rows_, table + c);
    }
    for (; c < used; ++c) {
      const int64_t begin = (first + c) * hop_ - padding_;
      const float* from = signal.find(begin, rows_);
      if (from == nullptr) signal.copy(begin, rows_, edge), from = edge;
      for (int64_t r = 0; r < rows_; ++r) table[r * columns_ + c] = from[r];
    }
  }

 private:
  void transpose_columns(const float* from, int64_t stride, float* to) const {
    const FloatTag d;
    for (int64_t r = 0; r < rows_; r += vector_lanes) {
      Vector block[vector_lanes];
      // What the next block reads: too many rows at once for the hardware to foresee.
      const float* ahead = from + vector_lanes * stride + r * vector_lanes;
      unroll<vector_lanes * vector_lanes / 16>([&](auto i) MELGRAD_INLINE_LAMBDA { hwy::Prefetch(ahead + i * 16); });
      unroll<vector_lanes>([&](auto i) MELGRAD_INLINE_LAMBDA { block[i] = hn::LoadU(d, from + i * stride + r); });
      transpose(block);
      unroll<vector_lanes>([&](auto i) MELGRAD_INLINE_LAMBDA { hn::Store(block[i], d, to + (r + i) * columns_); });
    }
  }

  int64_t hop_, padding_, rows_, columns_, groups_, overlap_;
  std::vector<int32_t> offsets_;
};

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
