// What follows the convolution of a fused block, while a piece of its output y is in the cache: statistics, the winners of
// the pool's windows, and y's way to memory; or in inference the finished z. For the instruction set at hand; included once
// for each, see Highway's foreach_target.
//
// A region is a rectangle of y in some samples, one block of channels wide: [sample][row][column][block_width()] floats.
// It starts at the first row and column of a window; what reaches beyond the last window counts in the statistics alone.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/block.h"
#include "kernels/cpu/block_activation-inl.h"
#include "kernels/cpu/winograd_engine-inl.h"

#if defined(MELGRAD_KERNELS_CPU_BLOCK_REGION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_BLOCK_REGION_INL_H_
#undef MELGRAD_KERNELS_CPU_BLOCK_REGION_INL_H_
#else
#define MELGRAD_KERNELS_CPU_BLOCK_REGION_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

using PlaceTag = hn::RebindToSigned<WinogradTag>;
using PlaceBytes = hn::Rebind<uint8_t, PlaceTag>;

HWY_INLINE void store_places(hn::Vec<PlaceTag> value, uint8_t* to, int64_t count) {
  if (count >= lane_total()) return hn::StoreU(hn::DemoteTo(PlaceBytes(), value), PlaceBytes(), to);
  HWY_ALIGN uint8_t part[HWY_MAX_BYTES];
  hn::StoreU(hn::DemoteTo(PlaceBytes(), value), PlaceBytes(), part);
  std::copy_n(part, std::max<int64_t>(count, 0), to);
}
HWY_INLINE hn::Vec<PlaceTag> load_places(const uint8_t* from, int64_t count) {
  if (count >= lane_total()) return hn::PromoteTo(PlaceTag(), hn::LoadU(PlaceBytes(), from));
  HWY_ALIGN uint8_t part[HWY_MAX_BYTES] = {};
  std::copy_n(from, std::max<int64_t>(count, 0), part);
  return hn::PromoteTo(PlaceTag(), hn::LoadU(PlaceBytes(), part));
}

struct BlockRegion {
  Pool2dProblem pool;
  int64_t sample, samples, row, rows, column, columns;
  int64_t room;  // columns from one row of the scratch to the next

  BlockRegion(const Pool2dProblem& p, const TileBlock& block, int64_t outputs)
      : pool(p),
        sample(block.sample),
        samples(block.samples),
        row(block.row),
        rows(block.rows),
        column(block.tile * outputs),
        columns(std::min(block.tiles * outputs, p.w - block.tile * outputs)),
        room(block.tiles * outputs) {}

  int64_t positions() const { return samples * rows * columns; }
  int64_t middle() const { return rows / 2 * room + columns / 2; }
  static int64_t floats(const TileBlock& block, int64_t outputs) {
    return block.samples * block.rows * block.tiles * outputs * block_width();
  }

  // Calls window(its place in the scratch, in y, in z) and rest(place in the scratch, in y) for all of it; places count
  // positions.
  template <class OnWindow, class OnRest>
  HWY_INLINE void walk(const OnWindow& window, const OnRest& rest) const {
    const int64_t high = pool.rows.size, wide = pool.columns.size;
    const int64_t last_i = std::min(pool.h_out(), (row + rows) / high),
                  last_j = std::min(pool.w_out(), (column + columns) / wide);
    for (int64_t s = 0; s < samples; ++s) {
      const auto here = [&](int64_t r, int64_t c) { return (s * rows + r - row) * room + c - column; };
      const auto in_y = [&](int64_t r, int64_t c) { return ((sample + s) * pool.h + r) * pool.w + c; };
      for (int64_t i = row / high; i < last_i; ++i) {
        for (int64_t j = column / wide; j < last_j; ++j)
          window(here(i * high, j * wide), in_y(i * high, j * wide),
                 ((sample + s) * pool.h_out() + i) * pool.w_out() + j);
        for (int64_t r = i * high; r < (i + 1) * high; ++r)
          for (int64_t c = last_j * wide; c < column + columns; ++c) rest(here(r, c), in_y(r, c));
      }
      for (int64_t r = std::max(row, last_i * high); r < row + rows; ++r)
        for (int64_t c = column; c < column + columns; ++c) rest(here(r, c), in_y(r, c));
    }
  }
};

// -0 where gamma is negative: turned around by it, the winner of a window is the largest.
HWY_INLINE WinogradVector turning_sign(const float* gamma, int64_t count) {
  const WinogradTag d;
  return hn::IfThenElseZero(hn::Lt(load_lanes(gamma, count), hn::Zero(d)), hn::Set(d, -0.0f));
}

struct TrainingOutputs {
  const float* gamma;
  float *y, *pooled;
  uint8_t* argmax;
  bool stream_y;  // past the caches: y is larger than they are
};

// Channels from `channel` on of a region: y, y*, argmax, and around a value in the region's middle (its border may see
// padding and be far from the rest) its sums [shift, Σ, Σ²] (c).
inline void finish_training(const BlockRegion& region, const float* scratch, int64_t channel,
                            const TrainingOutputs& out, float* sums) {
  const WinogradTag d;
  const PlaceTag di;
  const int64_t channels = region.pool.c, width = block_width();
  for (int64_t half = 0; half < width && channel + half < channels; half += lane_total()) {
    const int64_t c = channel + half, count = channels - c;
    const float* from = scratch + half;
    const WinogradVector turn = turning_sign(out.gamma + c, count), shift = hn::Load(d, from + region.middle() * width);
    const bool stream = out.stream_y && channels % lane_total() == 0;
    WinogradVector total = hn::Zero(d), squares = hn::Zero(d);
    const auto pass = [&](int64_t at, int64_t to) {  // y[to], into memory and into the statistics
      const WinogradVector value = hn::Load(d, from + at * width), distance = hn::Sub(value, shift);
      total = hn::Add(total, distance);
      squares = hn::MulAdd(distance, distance, squares);
      if (stream)
        hn::Stream(value, d, out.y + to * channels + c);
      else
        store_lanes(value, out.y + to * channels + c, count);
      return hn::Xor(value, turn);
    };
    const auto window = [&](int64_t at, int64_t to, int64_t z) {
      WinogradVector best = pass(at, to);
      auto place = hn::Zero(di);
      int32_t tap = 0;
      for (int64_t r = 0; r < region.pool.rows.size; ++r)
        for (int64_t k = 0; k < region.pool.columns.size; ++k, ++tap) {
          if (tap == 0) continue;
          const WinogradVector value = pass(at + r * region.room + k, to + r * region.pool.w + k);
          const auto better = hn::Gt(value, best);
          best = hn::IfThenElse(better, value, best);
          place = hn::IfThenElse(hn::RebindMask(di, better), hn::Set(di, tap), place);
        }
      store_lanes(hn::Xor(best, turn), out.pooled + z * channels + c, count);
      store_places(place, out.argmax + z * channels + c, count);
    };
    region.walk(window, [&](int64_t at, int64_t to) { pass(at, to); });
    store_lanes(shift, sums + c, count);
    store_lanes(total, sums + channels + c, count);
    store_lanes(squares, sums + 2 * channels + c, count);
  }
  if (out.stream_y) hwy::FlushStream();
}

// The largest of each window of a convolution whose weights have the norm's scale in them, plus shift and through f: z.
struct InferenceOutputs {
  const float* shift;  // whole blocks of channels
  BlockActivation f;
  float* z;
};

inline void finish_inference(const BlockRegion& region, const float* scratch, int64_t channel,
                             const InferenceOutputs& out) {
  const WinogradTag d;
  const int64_t channels = region.pool.c, width = block_width();
  for (int64_t half = 0; half < width && channel + half < channels; half += lane_total()) {
    const int64_t c = channel + half, count = channels - c;
    const float* from = scratch + half;
    const WinogradVector shift = hn::LoadU(d, out.shift + c);
    const auto window = [&](int64_t at, int64_t, int64_t z) {
      WinogradVector best = hn::Load(d, from + at * width);
      for (int64_t r = 0; r < region.pool.rows.size; ++r)
        for (int64_t k = 0; k < region.pool.columns.size; ++k) {
          if (r + k == 0) continue;
          const WinogradVector value = hn::Load(d, from + (at + r * region.room + k) * width);
          best = hn::IfThenElse(hn::AndNot(hn::IsNaN(best), hn::Not(hn::Le(value, best))), value, best);  // a NaN stays
        }
      store_lanes(out.f(hn::Add(best, shift)), out.z + z * channels + c, count);
    };
    region.walk(window, [](int64_t, int64_t) {});
  }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
