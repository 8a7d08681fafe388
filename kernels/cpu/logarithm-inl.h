// The natural logarithm of a vector, by a polynomial. Included once for each target; see Highway's foreach_target.
#include "kernels/cpu/vectors-inl.h"

#if defined(MELGRAD_KERNELS_CPU_LOGARITHM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_LOGARITHM_INL_H_
#undef MELGRAD_KERNELS_CPU_LOGARITHM_INL_H_
#else
#define MELGRAD_KERNELS_CPU_LOGARITHM_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// ln(1 + f) for √½ <= 1 + f <= √2: f - f²/2 + f³ p(f), with p fitted for the least largest error of the whole (by
// reweighted least squares, in f64): 7e-9, an eighth of a float's step at ½.
HWY_INLINE Vector log_near_one(Vector f) {
  const FloatTag d;
  constexpr float coefficients[] = {-0.143792272F, 0.149780795F,  -0.165644035F,
                                    0.199548662F,  -0.250016987F, 0.333341658F};
  Vector p = hn::Set(d, 0.0867222846F);
  for (const float coefficient : coefficients) p = hn::MulAdd(p, f, hn::Set(d, coefficient));
  const Vector square = hn::Mul(f, f);
  const Vector rest = hn::MulSub(hn::Mul(p, f), square, hn::Mul(hn::Set(d, 0.5F), square));
  return hn::Add(f, rest);
}

// ln(max(floor, offset + u)) for an offset of 0 or 1 and a floor that is no denormal. x = 2^e (1 + f), and
// ln x = e ln 2 + ln(1 + f). With offset 1 and e = 0, f is u itself, which has the digits that 1 + u lost.
HWY_INLINE Vector log_sum(float offset, Vector u, float floor) {
  const FloatTag d;
  const hn::RebindToSigned<FloatTag> integers;
  const Vector one = hn::Set(d, 1.0F);
  const Vector x = hn::Max(hn::Add(u, hn::Set(d, offset)), hn::Set(d, floor));
  const auto bits = hn::BitCast(integers, x);
  // The exponent counted from √½, so that the mantissa lies on both sides of 1.
  const auto e = hn::ShiftRight<23>(hn::Sub(bits, hn::Set(integers, 0x3f3504f3)));
  Vector f = hn::Sub(hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(e))), one);
  const Vector exponent = hn::ConvertTo(d, e);
  if (offset == 1 && floor <= 1) f = hn::IfThenElse(hn::Eq(exponent, hn::Zero(d)), u, f);
  return hn::MulAdd(exponent, hn::Set(d, 0.693147181F), log_near_one(f));
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
