// Small helpers over vectors of floats for the instruction set at hand: complex numbers, unrolled loops, a transposition.
// Included once for each target; see Highway's foreach_target.
#include <hwy/highway.h>

#include <cstdint>
#include <utility>

#include "kernels/fft.h"

// After the parameters of a lambda that is a step of a kernel. Left as a function it would hand over vectors through
// memory, and GCC copies complex ones in halves for which the next load has to wait: twice the time of an FFT.
#ifndef MELGRAD_INLINE_LAMBDA
#define MELGRAD_INLINE_LAMBDA HWY_ATTR __attribute__((always_inline))
#endif

#if defined(MELGRAD_KERNELS_CPU_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_VECTORS_INL_H_
#undef MELGRAD_KERNELS_CPU_VECTORS_INL_H_
#else
#define MELGRAD_KERNELS_CPU_VECTORS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, 16>;
using Vector = hn::Vec<FloatTag>;
using ComplexVector = Complex<Vector>;
inline constexpr int vector_lanes = hn::MaxLanes(FloatTag());

// f(0), f(1), … f(n - 1), each with its number as a type: what depends on it is decided by the compiler.
template <int i>
using Index = std::integral_constant<int, i>;
template <class F, int... i>
HWY_INLINE void unroll_sequence(const F& f, std::integer_sequence<int, i...>) {
  (f(Index<i>()), ...);
}
template <int n, class F>
HWY_INLINE void unroll(const F& f) {
  unroll_sequence(f, std::make_integer_sequence<int, n>());
}

HWY_INLINE ComplexVector add(ComplexVector a, ComplexVector b) {
  return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)};
}
HWY_INLINE ComplexVector subtract(ComplexVector a, ComplexVector b) {
  return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)};
}
HWY_INLINE ComplexVector times_minus_i(ComplexVector a) {
  return {a.im, hn::Neg(a.re)};
}
// a + factor · b and a - factor · b, for a real factor.
HWY_INLINE ComplexVector add_scaled(ComplexVector a, Vector factor, ComplexVector b) {
  return {hn::MulAdd(factor, b.re, a.re), hn::MulAdd(factor, b.im, a.im)};
}
HWY_INLINE ComplexVector subtract_scaled(ComplexVector a, Vector factor, ComplexVector b) {
  return {hn::NegMulAdd(factor, b.re, a.re), hn::NegMulAdd(factor, b.im, a.im)};
}
HWY_INLINE ComplexVector multiply(ComplexVector a, Vector re, Vector im) {
  return {hn::MulSub(a.re, re, hn::Mul(a.im, im)), hn::MulAdd(a.re, im, hn::Mul(a.im, re))};
}
// The same number w in every lane.
HWY_INLINE ComplexVector multiply(ComplexVector a, const float* w) {
  const FloatTag d;
  return multiply(a, hn::Set(d, w[0]), hn::Set(d, w[1]));
}

HWY_INLINE ComplexVector load_complex(const float* x) {
  const FloatTag d;
  return {hn::Load(d, x), hn::Load(d, x + vector_lanes)};
}
HWY_INLINE void store_complex(ComplexVector a, float* y) {
  const FloatTag d;
  hn::Store(a.re, d, y);
  hn::Store(a.im, d, y + vector_lanes);
}

#if HWY_TARGET != HWY_SCALAR
// Four rows of which each holds blocks of four numbers: block by block, rows become columns.
HWY_INLINE void transpose_within_blocks(Vector* rows) {
  const FloatTag d;
  const hn::Repartition<double, FloatTag> pairs;
  const auto as_pairs = [&](Vector v) MELGRAD_INLINE_LAMBDA { return hn::BitCast(pairs, v); };
  const auto low01 = as_pairs(hn::InterleaveLower(d, rows[0], rows[1]));
  const auto high01 = as_pairs(hn::InterleaveUpper(d, rows[0], rows[1]));
  const auto low23 = as_pairs(hn::InterleaveLower(d, rows[2], rows[3]));
  const auto high23 = as_pairs(hn::InterleaveUpper(d, rows[2], rows[3]));
  rows[0] = hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23));
  rows[1] = hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23));
  rows[2] = hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23));
  rows[3] = hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23));
}
#endif

// rows[i], lane j ← rows[j], lane i, for as many rows as a vector has lanes.
HWY_INLINE void transpose([[maybe_unused]] Vector* rows) {
#if HWY_TARGET != HWY_SCALAR
  unroll<vector_lanes / 4>([&](auto i) MELGRAD_INLINE_LAMBDA { transpose_within_blocks(rows + 4 * i); });
  // Now rows[4 g + j] holds in block b what belongs to row 4 b + j, block g: a transposition of the blocks is left.
#endif
#if HWY_MAX_BYTES == 32
  const FloatTag d;
  unroll<4>([&](auto j) MELGRAD_INLINE_LAMBDA {
    const Vector a = rows[j], b = rows[j + 4];
    rows[j] = hn::ConcatLowerLower(d, b, a);
    rows[j + 4] = hn::ConcatUpperUpper(d, b, a);
  });
#elif HWY_MAX_BYTES == 64
  const FloatTag d;
  unroll<4>([&](auto j) MELGRAD_INLINE_LAMBDA {
    const Vector a01_c01 = hn::ConcatLowerLower(d, rows[j + 8], rows[j]);
    const Vector a23_c23 = hn::ConcatUpperUpper(d, rows[j + 8], rows[j]);
    const Vector b01_d01 = hn::ConcatLowerLower(d, rows[j + 12], rows[j + 4]);
    const Vector b23_d23 = hn::ConcatUpperUpper(d, rows[j + 12], rows[j + 4]);
    rows[j] = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(b01_d01), a01_c01);
    rows[j + 4] = hn::OddEvenBlocks(b01_d01, hn::SwapAdjacentBlocks(a01_c01));
    rows[j + 8] = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(b23_d23), a23_c23);
    rows[j + 12] = hn::OddEvenBlocks(b23_d23, hn::SwapAdjacentBlocks(a23_c23));
  });
#endif
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
