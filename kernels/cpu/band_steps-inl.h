// From the power spectra of a group of frames, one a lane, to their bands in rows of the result.
// Included once for each target; see Highway's foreach_target.
#include <cmath>

#include "kernels/cpu/logarithm-inl.h"
#include "kernels/spectral_bands.h"

#if defined(MELGRAD_KERNELS_CPU_BAND_STEPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_BAND_STEPS_INL_H_
#undef MELGRAD_KERNELS_CPU_BAND_STEPS_INL_H_
#else
#define MELGRAD_KERNELS_CPU_BAND_STEPS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// x to the power of `exponent`, with the common exponents as what they are. x (count, lanes).
inline void raise(float* x, int64_t count, double exponent) {
  if (exponent == 1) return;
  const FloatTag d;
  for (float* end = x + count * vector_lanes; x != end; x += vector_lanes) {
    const Vector value = hn::Load(d, x);
    if (exponent == 2) {
      hn::Store(hn::Mul(value, value), d, x);
    } else if (exponent == 0.5) {
      hn::Store(hn::Sqrt(value), d, x);
    } else {
      for (int lane = 0; lane < vector_lanes; ++lane) x[lane] = std::pow(x[lane], static_cast<float>(exponent));
    }
  }
}

// y[f] = Σ weights[f, k] powers[k] of `count` filters from f on. Each multiply-add of a sum waits for the one before, so
// the filters are summed in turns, as far as the shortest of them goes, and then each to its end.
template <int count>
HWY_INLINE void some_filters(const FilterBank& filters, int64_t f, const float* HWY_RESTRICT powers,
                             float* HWY_RESTRICT y) {
  const FloatTag d;
  const float *weights[count], *power[count];
  Vector sum[count];
  int64_t length[count], shortest = filters.bins();
  unroll<count>([&](auto i) MELGRAD_INLINE_LAMBDA {
    weights[i] = filters.weights(f + i).data();
    power[i] = powers + filters.first_bin(f + i) * vector_lanes;
    sum[i] = hn::Zero(d);
    length[i] = static_cast<int64_t>(filters.weights(f + i).size());
    shortest = std::min(shortest, length[i]);
  });
  const auto add_term = [&](auto i, int64_t k) MELGRAD_INLINE_LAMBDA {
    sum[i] = hn::MulAdd(hn::Set(d, weights[i][k]), hn::Load(d, power[i] + k * vector_lanes), sum[i]);
  };
  for (int64_t k = 0; k < shortest; ++k) unroll<count>([&](auto i) MELGRAD_INLINE_LAMBDA { add_term(i, k); });
  unroll<count>([&](auto i) MELGRAD_INLINE_LAMBDA {
    for (int64_t k = shortest; k < length[i]; ++k) add_term(i, k);
    hn::Store(sum[i], d, y + (f + i) * vector_lanes);
  });
}

inline void apply_filters(const FilterBank& filters, const float* HWY_RESTRICT powers, float* HWY_RESTRICT y) {
  constexpr int together = 4;
  int64_t f = 0;
  for (; f + together <= filters.filters(); f += together) some_filters<together>(filters, f, powers, y);
  for (; f < filters.filters(); ++f) some_filters<1>(filters, f, powers, y);
}

HWY_INLINE Vector logarithm_of(const BandLogarithm& logarithm, Vector value) {
  const FloatTag d;
  const Vector scaled = hn::Mul(hn::Set(d, logarithm.gain), value);
  const Vector log = log_sum(logarithm.offset, scaled, logarithm.floor);
  return hn::MulAdd(hn::Set(d, logarithm.factor), log, hn::Set(d, logarithm.shift));
}

// The range of bands (bands, lanes) over the first `valid` lanes; then their logarithm in place, if one is given.
inline BandRange scale_bands(const BandLogarithm* logarithm, int64_t bands, int64_t valid, float* values) {
  const FloatTag d;
  const auto counts = hn::FirstN(d, static_cast<std::size_t>(valid));
  const Vector infinity = hn::Set(d, std::numeric_limits<float>::infinity());
  Vector lowest = infinity, highest = hn::Neg(infinity), poison = hn::Zero(d);
  for (int64_t f = 0; f < bands; ++f) {
    const Vector value = hn::Load(d, values + f * vector_lanes);
    poison = hn::MulAdd(value, hn::Zero(d), poison);  // NaN from what is not finite, and then for good
    lowest = hn::Min(lowest, value);
    highest = hn::Max(highest, value);
    if (logarithm != nullptr) hn::Store(logarithm_of(*logarithm, value), d, values + f * vector_lanes);
  }
  BandRange range;
  range.lowest = hn::GetLane(hn::MinOfLanes(d, hn::IfThenElse(counts, lowest, infinity)));
  range.highest = hn::GetLane(hn::MaxOfLanes(d, hn::IfThenElse(counts, highest, hn::Neg(infinity))));
  range.finite = hn::AllTrue(d, hn::Eq(hn::IfThenElseZero(counts, poison), hn::Zero(d)));
  return range;
}

// values (bands, lanes) to rows y (valid, bands).
inline void store_frames(const float* values, int64_t bands, int64_t valid, float* y) {
  const FloatTag d;
  for (int64_t f = 0; f < bands; f += vector_lanes) {
    // The last block overlaps the one before where it can.
    const int64_t first = bands >= vector_lanes ? std::min<int64_t>(f, bands - vector_lanes) : 0;
    const int64_t count = std::min<int64_t>(vector_lanes, bands);
    Vector block[vector_lanes];
    unroll<vector_lanes>([&](auto i) MELGRAD_INLINE_LAMBDA {
      block[i] = i < count ? hn::Load(d, values + (first + i) * vector_lanes) : hn::Zero(d);
    });
    transpose(block);
    if (valid == vector_lanes && count == vector_lanes) {
      unroll<vector_lanes>([&](auto i) MELGRAD_INLINE_LAMBDA { hn::StoreU(block[i], d, y + i * bands + first); });
      continue;
    }
    HWY_ALIGN float rows[vector_lanes * vector_lanes];
    unroll<vector_lanes>([&](auto i) MELGRAD_INLINE_LAMBDA { hn::Store(block[i], d, rows + i * vector_lanes); });
    for (int64_t frame = 0; frame < valid; ++frame)
      std::copy_n(rows + frame * vector_lanes, count, y + frame * bands + first);
  }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
