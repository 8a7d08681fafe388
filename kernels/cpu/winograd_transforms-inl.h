// The transforms of Winograd's F(4, 3), F(6, 3), F(5, 2) and F(7, 2) on vectors of channels, for the instruction set at hand.
// Included once for each; see Highway's foreach_target. The matrices, and what they are for, are in kernels/reference/winograd.h; here
// each is factored into the sums that rows ± share. Additions and multiply-adds a vector: Bᵀ 12 of 6 inputs or 28 of 8.
#include <hwy/highway.h>

#include <cstdint>

#if defined(MELGRAD_KERNELS_CPU_WINOGRAD_TRANSFORMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_WINOGRAD_TRANSFORMS_INL_H_
#undef MELGRAD_KERNELS_CPU_WINOGRAD_TRANSFORMS_INL_H_
#else
#define MELGRAD_KERNELS_CPU_WINOGRAD_TRANSFORMS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using WinogradTag = hn::ScalableTag<float>;
using WinogradVector = hn::Vec<WinogradTag>;

HWY_INLINE WinogradVector constant(float value) {
  return hn::Set(WinogradTag(), value);
}
// factor · x + y
HWY_INLINE WinogradVector scaled(float factor, WinogradVector x, WinogradVector y) {
  return hn::MulAdd(constant(factor), x, y);
}
HWY_INLINE WinogradVector scaled(float factor, WinogradVector x) {
  return hn::Mul(constant(factor), x);
}

// Each function is the product of one matrix and a column of vectors; `out` may not be `in`.
struct F43 {
  using V = WinogradVector;
  static constexpr int taps = 3, outputs = 4, points = 6;

  // Bᵀ d
  static HWY_INLINE void input(const V* d, V* out) {
    const V a = scaled(-4, d[2], d[4]), b = scaled(-4, d[1], d[3]);
    const V e = hn::Sub(d[4], d[2]), f = hn::Sub(d[3], d[1]);
    out[0] = scaled(4, d[0], scaled(-5, d[2], d[4]));
    out[1] = hn::Add(a, b);
    out[2] = hn::Sub(a, b);
    out[3] = scaled(2, f, e);
    out[4] = scaled(-2, f, e);
    out[5] = scaled(4, d[1], scaled(-5, d[3], d[5]));
  }
  // B m
  static HWY_INLINE void input_gradient(const V* m, V* out) {
    const V s = hn::Add(m[1], m[2]), f = hn::Sub(m[1], m[2]), e = hn::Add(m[3], m[4]), g = hn::Sub(m[3], m[4]);
    out[0] = scaled(4, m[0]);
    out[1] = scaled(4, hn::Sub(m[5], f), scaled(-2, g));
    out[2] = scaled(-5, m[0], scaled(-4, s, hn::Neg(e)));
    out[3] = scaled(-5, m[5], scaled(2, g, f));
    out[4] = hn::Add(m[0], hn::Add(s, e));
    out[5] = m[5];
  }
  // Aᵀ m
  static HWY_INLINE void output(const V* m, V* out) {
    const V a = hn::Add(m[1], m[2]), b = hn::Sub(m[1], m[2]), e = hn::Add(m[3], m[4]), f = hn::Sub(m[3], m[4]);
    out[0] = hn::Add(m[0], hn::Add(a, e));
    out[1] = scaled(2, f, b);
    out[2] = scaled(4, e, a);
    out[3] = hn::Add(scaled(8, f, b), m[5]);
  }
  // A dy
  static HWY_INLINE void output_gradient(const V* g, V* out) {
    const V p = hn::Add(g[0], g[2]), q = hn::Add(g[1], g[3]);
    const V p4 = scaled(4, g[2], g[0]), q4 = scaled(8, g[3], scaled(2, g[1]));
    out[0] = g[0];
    out[1] = hn::Add(p, q);
    out[2] = hn::Sub(p, q);
    out[3] = hn::Add(p4, q4);
    out[4] = hn::Sub(p4, q4);
    out[5] = g[3];
  }
  // G w
  static HWY_INLINE void weight(const V* w, V* out) {
    const V e = scaled(-1.0f / 6, hn::Add(w[0], w[2])), f = scaled(1.0f / 6, w[1]);
    const V g = scaled(1.0f / 24, w[0], scaled(1.0f / 6, w[2])), h = scaled(1.0f / 12, w[1]);
    out[0] = scaled(0.25f, w[0]);
    out[1] = hn::Sub(e, f);
    out[2] = hn::Add(e, f);
    out[3] = hn::Add(g, h);
    out[4] = hn::Sub(g, h);
    out[5] = w[2];
  }
  // Gᵀ u
  static HWY_INLINE void weight_gradient(const V* u, V* out) {
    const V a = hn::Add(u[1], u[2]), b = hn::Sub(u[1], u[2]), e = hn::Add(u[3], u[4]), f = hn::Sub(u[3], u[4]);
    out[0] = scaled(0.25f, u[0], scaled(1.0f / 24, e, scaled(-1.0f / 6, a)));
    out[1] = scaled(1.0f / 12, f, scaled(-1.0f / 6, b));
    out[2] = scaled(1.0f / 6, hn::Sub(e, a), u[5]);
  }
};

struct F63 {
  using V = WinogradVector;
  static constexpr int taps = 3, outputs = 6, points = 8;

  static HWY_INLINE void input(const V* d, V* out) {
    out[0] = scaled(5.25f, hn::Sub(d[4], d[2]), hn::Sub(d[0], d[6]));
    out[7] = scaled(5.25f, hn::Sub(d[3], d[5]), hn::Sub(d[7], d[1]));
    plus_minus(scaled(-4.25f, d[4], hn::Add(d[2], d[6])), scaled(-4.25f, d[3], hn::Add(d[1], d[5])), out + 1);
    const V middle = scaled(-2.5f, d[3]);
    plus_minus(scaled(0.25f, d[2], scaled(-1.25f, d[4], d[6])), scaled(0.5f, d[1], scaled(2, d[5], middle)), out + 3);
    plus_minus(scaled(4, d[2], scaled(-5, d[4], d[6])), scaled(2, d[1], scaled(0.5f, d[5], middle)), out + 5);
  }
  static HWY_INLINE void input_gradient(const V* m, V* out) {
    const V s1 = hn::Add(m[1], m[2]), s2 = hn::Add(m[3], m[4]), s3 = hn::Add(m[5], m[6]);
    const V e1 = hn::Sub(m[1], m[2]), e2 = hn::Sub(m[3], m[4]), e3 = hn::Sub(m[5], m[6]);
    out[0] = m[0];
    out[1] = scaled(0.5f, e2, scaled(2, e3, hn::Sub(e1, m[7])));
    out[2] = scaled(-5.25f, m[0], scaled(0.25f, s2, scaled(4, s3, s1)));
    out[3] = scaled(5.25f, m[7], scaled(-4.25f, e1, scaled(-2.5f, hn::Add(e2, e3))));
    out[4] = scaled(5.25f, m[0], scaled(-4.25f, s1, scaled(-1.25f, s2, scaled(-5, s3))));
    out[5] = scaled(-5.25f, m[7], scaled(2, e2, scaled(0.5f, e3, e1)));
    out[6] = hn::Add(hn::Sub(s1, m[0]), hn::Add(s2, s3));
    out[7] = m[7];
  }
  // The outputs that F(7, 2) has too: those without the point at infinity.
  static HWY_INLINE void first_outputs(const V* m, V* out) {
    const V s1 = hn::Add(m[1], m[2]), s2 = hn::Add(m[3], m[4]), s3 = hn::Add(m[5], m[6]);
    const V e1 = hn::Sub(m[1], m[2]), e2 = hn::Sub(m[3], m[4]), e3 = hn::Sub(m[5], m[6]);
    out[0] = hn::Add(hn::Add(m[0], s1), hn::Add(s2, s3));
    out[1] = scaled(2, e2, scaled(0.5f, e3, e1));
    out[2] = scaled(4, s2, scaled(0.25f, s3, s1));
    out[3] = scaled(8, e2, scaled(0.125f, e3, e1));
    out[4] = scaled(16, s2, scaled(0.0625f, s3, s1));
  }
  static HWY_INLINE void output(const V* m, V* out) {
    const V e1 = hn::Sub(m[1], m[2]), e2 = hn::Sub(m[3], m[4]), e3 = hn::Sub(m[5], m[6]);
    first_outputs(m, out);
    out[5] = scaled(32, e2, scaled(0.03125f, e3, hn::Add(e1, m[7])));
  }
  static HWY_INLINE void output_gradient(const V* g, V* out) {
    out[0] = g[0];
    out[7] = g[5];
    plus_minus(hn::Add(g[0], hn::Add(g[2], g[4])), hn::Add(g[1], hn::Add(g[3], g[5])), out + 1);
    plus_minus(scaled(16, g[4], scaled(4, g[2], g[0])), scaled(32, g[5], scaled(8, g[3], scaled(2, g[1]))), out + 3);
    plus_minus(scaled(0.0625f, g[4], scaled(0.25f, g[2], g[0])),
               scaled(0.03125f, g[5], scaled(0.125f, g[3], scaled(0.5f, g[1]))), out + 5);
  }
  static HWY_INLINE void weight(const V* w, V* out) {
    const V e = scaled(-2.0f / 9, hn::Add(w[0], w[2])), f = scaled(-2.0f / 9, w[1]);
    out[0] = w[0];
    out[7] = w[2];
    plus_minus(e, f, out + 1);
    plus_minus(scaled(1.0f / 90, w[0], scaled(2.0f / 45, w[2])), scaled(1.0f / 45, w[1]), out + 3);
    plus_minus(scaled(32.0f / 45, w[0], scaled(8.0f / 45, w[2])), scaled(16.0f / 45, w[1]), out + 5);
  }
  static HWY_INLINE void weight_gradient(const V* u, V* out) {
    const V s1 = hn::Add(u[1], u[2]), s2 = hn::Add(u[3], u[4]), s3 = hn::Add(u[5], u[6]);
    const V e1 = hn::Sub(u[1], u[2]), e2 = hn::Sub(u[3], u[4]), e3 = hn::Sub(u[5], u[6]);
    out[0] = scaled(32.0f / 45, s3, scaled(1.0f / 90, s2, scaled(-2.0f / 9, s1, u[0])));
    out[1] = scaled(16.0f / 45, e3, scaled(1.0f / 45, e2, scaled(-2.0f / 9, e1)));
    out[2] = scaled(8.0f / 45, s3, scaled(2.0f / 45, s2, scaled(-2.0f / 9, s1, u[7])));
  }

 protected:
  // The rows of a point and of its negative.
  static HWY_INLINE void plus_minus(V even, V odd, V* out) {
    out[0] = hn::Add(even, odd);
    out[1] = hn::Sub(even, odd);
  }
};

// F(5, 2): the points, and with them Bᵀ, are F(4, 3)'s. Aᵀ has a power more, G one less.
struct F52 : F43 {
  static constexpr int taps = 2, outputs = 5;

  static HWY_INLINE void output(const V* m, V* out) {
    const V a = hn::Add(m[1], m[2]), b = hn::Sub(m[1], m[2]), e = hn::Add(m[3], m[4]), f = hn::Sub(m[3], m[4]);
    out[0] = hn::Add(m[0], hn::Add(a, e));
    out[1] = scaled(2, f, b);
    out[2] = scaled(4, e, a);
    out[3] = scaled(8, f, b);
    out[4] = scaled(16, e, hn::Add(a, m[5]));
  }
  static HWY_INLINE void output_gradient(const V* g, V* out) {
    const V p = hn::Add(g[0], hn::Add(g[2], g[4])), q = hn::Add(g[1], g[3]);
    const V p4 = scaled(16, g[4], scaled(4, g[2], g[0])), q4 = scaled(8, g[3], scaled(2, g[1]));
    out[0] = g[0];
    out[1] = hn::Add(p, q);
    out[2] = hn::Sub(p, q);
    out[3] = hn::Add(p4, q4);
    out[4] = hn::Sub(p4, q4);
    out[5] = g[4];
  }
  static HWY_INLINE void weight(const V* w, V* out) {
    const V e = scaled(-1.0f / 6, w[0]), f = scaled(1.0f / 6, w[1]);
    const V g = scaled(1.0f / 24, w[0]), h = scaled(1.0f / 12, w[1]);
    out[0] = scaled(0.25f, w[0]);
    out[1] = hn::Sub(e, f);
    out[2] = hn::Add(e, f);
    out[3] = hn::Add(g, h);
    out[4] = hn::Sub(g, h);
    out[5] = w[1];
  }
  static HWY_INLINE void weight_gradient(const V* u, V* out) {
    const V a = hn::Add(u[1], u[2]), b = hn::Sub(u[1], u[2]), e = hn::Add(u[3], u[4]), f = hn::Sub(u[3], u[4]);
    out[0] = scaled(0.25f, u[0], scaled(1.0f / 24, e, scaled(-1.0f / 6, a)));
    out[1] = scaled(1.0f / 12, f, scaled(-1.0f / 6, b, u[5]));
  }
};

// F(7, 2), of F(6, 3)'s points.
struct F72 : F63 {
  static constexpr int taps = 2, outputs = 7;

  static HWY_INLINE void output(const V* m, V* out) {
    const V s1 = hn::Add(m[1], m[2]), s2 = hn::Add(m[3], m[4]), s3 = hn::Add(m[5], m[6]);
    const V e1 = hn::Sub(m[1], m[2]), e2 = hn::Sub(m[3], m[4]), e3 = hn::Sub(m[5], m[6]);
    first_outputs(m, out);
    out[5] = scaled(32, e2, scaled(0.03125f, e3, e1));
    out[6] = scaled(64, s2, scaled(0.015625f, s3, hn::Add(s1, m[7])));
  }
  static HWY_INLINE void output_gradient(const V* g, V* out) {
    out[0] = g[0];
    out[7] = g[6];
    plus_minus(hn::Add(hn::Add(g[0], g[2]), hn::Add(g[4], g[6])), hn::Add(g[1], hn::Add(g[3], g[5])), out + 1);
    plus_minus(scaled(64, g[6], scaled(16, g[4], scaled(4, g[2], g[0]))),
               scaled(32, g[5], scaled(8, g[3], scaled(2, g[1]))), out + 3);
    plus_minus(scaled(0.015625f, g[6], scaled(0.0625f, g[4], scaled(0.25f, g[2], g[0]))),
               scaled(0.03125f, g[5], scaled(0.125f, g[3], scaled(0.5f, g[1]))), out + 5);
  }
  static HWY_INLINE void weight(const V* w, V* out) {
    out[0] = w[0];
    out[7] = w[1];
    plus_minus(scaled(-2.0f / 9, w[0]), scaled(-2.0f / 9, w[1]), out + 1);
    plus_minus(scaled(1.0f / 90, w[0]), scaled(1.0f / 45, w[1]), out + 3);
    plus_minus(scaled(32.0f / 45, w[0]), scaled(16.0f / 45, w[1]), out + 5);
  }
  static HWY_INLINE void weight_gradient(const V* u, V* out) {
    const V s1 = hn::Add(u[1], u[2]), s2 = hn::Add(u[3], u[4]), s3 = hn::Add(u[5], u[6]);
    const V e1 = hn::Sub(u[1], u[2]), e2 = hn::Sub(u[3], u[4]), e3 = hn::Sub(u[5], u[6]);
    out[0] = scaled(32.0f / 45, s3, scaled(1.0f / 90, s2, scaled(-2.0f / 9, s1, u[0])));
    out[1] = scaled(16.0f / 45, e3, scaled(1.0f / 45, e2, scaled(-2.0f / 9, e1, u[7])));
  }
};

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
