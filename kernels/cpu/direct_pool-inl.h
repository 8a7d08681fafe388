// The max pool behind a direct convolution, over rows that are in cache, and its gradient, for the instruction set at hand.
// Included once for each; see Highway's foreach_target.
#include "kernels/cpu/block_activation-inl.h"
#include "kernels/cpu/direct_correlation-inl.h"

#if defined(MELGRAD_KERNELS_CPU_DIRECT_POOL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_DIRECT_POOL_INL_H_
#undef MELGRAD_KERNELS_CPU_DIRECT_POOL_INL_H_
#else
#define MELGRAD_KERNELS_CPU_DIRECT_POOL_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {
namespace {

// The taps of a window at `position` that lie in [begin, end).
struct Taps {
  int64_t first, last;
  Taps(const Window& window, int64_t position, int64_t begin, int64_t end)
      : first(std::clamp<int64_t>(begin - window.input(position, 0), 0, window.size)),
        last(std::clamp<int64_t>(end - window.input(position, 0), first, window.size)) {}
};

// Whole vectors of channels, and how many of the lanes count. Sources may be read to the end of the vector.
template <class Body>
void for_channel_vectors(int64_t channels, const Body& body) {
  for (int64_t c = 0; c < channels; c += vector_lanes)
    body(c, hn::FirstN(FloatTag(), static_cast<std::size_t>(std::min<int64_t>(vector_lanes, channels - c))));
}

// One window, its taps inside the image: the first of them at `first`, `row` floats from one row to the next, `channels`
// from one column to the next, `number` its place in the whole window of `wide` columns.
struct WindowTaps {
  int64_t rows, columns;
  const float* first;
  int64_t row, channels, number, wide;

  template <class Body>
  HWY_INLINE void for_each(const Body& body) const {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t q = 0; q < columns; ++q)
        body(first + r * row + q * channels, static_cast<int32_t>(number + r * wide + q));
  }
};

// The largest of a window and its tap, for some vectors of channels, of which `count` channels are stored: the first in
// order, and a NaN beats all but an earlier one. Several vectors at once: each comparison waits for the one before.
template <int vectors, bool winners>
HWY_INLINE void pool_window(const WindowTaps& taps, int64_t count, float* z, int32_t* argmax) {
  const FloatTag d;
  const hn::RebindToSigned<FloatTag> di;
  Vector best[vectors], sum[vectors];
  hn::Vec<decltype(di)> winner[vectors];
  unroll<vectors>([&](auto v) HWY_ATTR {
    best[v] = hn::LoadU(d, taps.first + v * vector_lanes);
    sum[v] = hn::Zero(d);
    winner[v] = hn::Set(di, static_cast<int32_t>(taps.number));
  });
  taps.for_each([&](const float* at, int32_t tap) HWY_ATTR {
    unroll<vectors>([&](auto v) HWY_ATTR {
      const Vector value = hn::LoadU(d, at + v * vector_lanes);
      sum[v] = hn::Add(sum[v], value);
      if constexpr (winners) {
        const auto takes = hn::Lt(best[v], value);
        winner[v] = hn::IfThenElse(hn::RebindMask(di, takes), hn::Set(di, tap), winner[v]);
        best[v] = hn::IfThenElse(takes, value, best[v]);
      } else {
        best[v] = hn::Max(best[v], value);
      }
    });
  });
  unroll<vectors>([&](auto v) HWY_ATTR {
    if (!hn::AllFalse(d, hn::IsNaN(sum[v]))) {  // rare: a NaN, or infinities, somewhere in the window
      best[v] = hn::LoadU(d, taps.first + v * vector_lanes);
      winner[v] = hn::Set(di, static_cast<int32_t>(taps.number));
      taps.for_each([&](const float* at, int32_t tap) HWY_ATTR {
        const Vector value = hn::LoadU(d, at + v * vector_lanes);
        const auto takes = hn::AndNot(hn::IsNaN(best[v]), hn::Not(hn::Le(value, best[v])));
        winner[v] = hn::IfThenElse(hn::RebindMask(di, takes), hn::Set(di, tap), winner[v]);
        best[v] = hn::IfThenElse(takes, value, best[v]);
      });
    }
    const int64_t left = count - v * vector_lanes;
    if (left >= vector_lanes) {
      hn::StoreU(best[v], d, z + v * vector_lanes);
      if constexpr (winners) hn::StoreU(winner[v], di, argmax + v * vector_lanes);
    } else {
      const auto mask = hn::FirstN(d, static_cast<std::size_t>(left));
      hn::BlendedStore(best[v], mask, d, z + v * vector_lanes);
      if constexpr (winners) hn::BlendedStore(winner[v], hn::RebindMask(di, mask), di, argmax + v * vector_lanes);
    }
  });
}

// One row of windows for some vectors of channels: `row` is column 0 of the first row of y inside them.
template <int vectors, bool winners>
void pool_row(const Pool2dProblem& p, const Taps& rows, const float* row, int64_t count, float* z, int32_t* argmax) {
  for (int64_t j = 0; j < p.w_out(); ++j, z += p.c) {
    const Taps columns(p.columns, j, 0, p.w);
    const WindowTaps taps{.rows = rows.last - rows.first,
                          .columns = columns.last - columns.first,
                          .first = row + p.columns.input(j, columns.first) * p.c,
                          .row = p.w * p.c,
                          .channels = p.c,
                          .number = rows.first * p.columns.size + columns.first,
                          .wide = p.columns.size};
    pool_window<vectors, winners>(taps, count, z, argmax);
    if constexpr (winners) argmax += p.c;
  }
}

// Rows [begin, end) of one sample's pooled output. `y` has rows from `first` on; z and argmax point to row `begin`.
template <bool winners>
void pool_rows(const Pool2dProblem& p, const float* y, int64_t first, int64_t begin, int64_t end, float* z,
               int32_t* argmax) {
  for (int64_t i = begin; i < end; ++i, z += p.w_out() * p.c) {
    const Taps rows(p.rows, i, 0, p.h);
    const float* row = y + (p.rows.input(i, rows.first) - first) * p.w * p.c;
    for_each_part(whole_vectors(p.c) / vector_lanes, 3, [&](int64_t vector, int64_t vectors) {
      const int64_t c = vector * vector_lanes;
      int32_t* winner = winners ? argmax + c : nullptr;
      if (vectors == 1) return pool_row<1, winners>(p, rows, row + c, p.c - c, z + c, winner);
      if (vectors == 2) return pool_row<2, winners>(p, rows, row + c, p.c - c, z + c, winner);
      pool_row<3, winners>(p, rows, row + c, p.c - c, z + c, winner);
    });
    if constexpr (winners) argmax += p.w_out() * p.c;
  }
}

// Adds what a window's gradient brings to rows [first, first + count) of the gradient of y, in `to`, whose rows are `pitch`
// floats apart; `to` is column 0.
inline void spread_row(const ConvPoolProblem& problem, int64_t i, const float* z, const int32_t* argmax,
                       const float* dz, int64_t first, int64_t count, int64_t pitch, float* to) {
  const Pool2dProblem p = problem.pool();
  const FloatTag d;
  const hn::RebindToSigned<FloatTag> di;
  const BlockActivation f(problem.activation);
  const Taps rows(p.rows, i, first, first + count);
  for (int64_t j = 0; j < p.w_out(); ++j, z += p.c, argmax += p.c, dz += p.c) {
    const Taps columns(p.columns, j, 0, p.w);
    for_channel_vectors(p.c, [&](int64_t c, auto mask) {
      const Vector g = f.gradient(hn::MaskedLoad(mask, d, z + c), hn::MaskedLoad(mask, d, dz + c));
      const auto winner = hn::MaskedLoad(hn::RebindMask(di, mask), di, argmax + c);
      for (int64_t r = rows.first; r < rows.last; ++r) {
        float* out = to + (p.rows.input(i, r) - first) * pitch + p.columns.input(j, columns.first) * p.c + c;
        for (int64_t q = columns.first; q < columns.last; ++q, out += p.c) {
          const auto won = hn::RebindMask(d, hn::Eq(winner, hn::Set(di, static_cast<int32_t>(r * p.columns.size + q))));
          // A whole vector: a masked store would hold up the next window's load. Lanes of the next pixel add 0.
          hn::StoreU(hn::Add(hn::LoadU(d, out), hn::IfThenElseZero(hn::And(won, mask), g)), d, out);
        }
      }
    });
  }
}

// Rows [first, first + count) of the gradient of y, from one sample's z, argmax and dz: zeros outside y, and `left` and
// `right` columns of them.
inline Rows gradient_rows(const ConvPoolProblem& problem, const float* z, const int32_t* argmax, const float* dz,
                          int64_t first, int64_t count, int64_t left, int64_t right) {
  const Pool2dProblem p = problem.pool();
  const int64_t columns = left + p.w + right, pitch = columns * p.c;
  float* to = thread_scratch(Scratch::patch_gradients, count * pitch + slack(p.c));
  const Rows rows{to, columns, p.c};
  const int64_t begin = std::max<int64_t>(first, 0), end = std::min(first + count, p.h);  // inside y
  if (problem.pools()) {
    std::fill_n(to, count * pitch + slack(p.c), 0.0f);
    float* inside = to + (begin - first) * pitch + left * p.c;
    for (int64_t i = 0; i < p.h_out(); ++i) {
      if (p.rows.input(i, p.rows.size - 1) < begin || p.rows.input(i, 0) >= end) continue;
      const int64_t at = i * p.w_out() * p.c;
      spread_row(problem, i, z + at, argmax + at, dz + at, begin, end - begin, pitch, inside);
    }
    return rows;
  }
  const BlockActivation f(problem.activation);
  for (int64_t row = first; row < first + count; ++row, to += pitch) {
    if (row < begin || row >= end) {
      std::fill_n(to, pitch, 0.0f);
      continue;
    }
    const int64_t at = row * p.w * p.c;
    std::fill_n(to, left * p.c, 0.0f);
    map_vectors(
        p.w * p.c, to + left * p.c, [&](MapVector value, MapVector g) { return f.gradient(value, g); }, z + at,
        dz + at);
    std::fill_n(to + (left + p.w) * p.c, right * p.c, 0.0f);
  }
  return rows;
}

}  // namespace
}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
