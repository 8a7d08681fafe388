// Discrete Fourier transforms of a few points in registers, one transform a lane: the bricks of every larger FFT.
//
//   y[k] = Σ x[t] exp(-2πi t k / n)
//
// A codelet takes its points from load(t) and gives its results to store(k, y), so what comes before and after (a
// window, twiddle factors) costs no pass over memory. 2, 4 and 8 points are written out; 3 and 5 pair the points t and
// n - t, whose factors are conjugate; every other n = a · b is b transforms of a points, a turn, and a of b points
// (Cooley and Tukey, "An algorithm for the machine calculation of complex Fourier series", Math. Comp. 19, 1965).
//
// Included once for each target; see Highway's foreach_target.
#include "kernels/cpu/vectors-inl.h"

#if defined(MELGRAD_KERNELS_CPU_FFT_CODELETS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_FFT_CODELETS_INL_H_
#undef MELGRAD_KERNELS_CPU_FFT_CODELETS_INL_H_
#else
#define MELGRAD_KERNELS_CPU_FFT_CODELETS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// cos and sin of 2π k / n for the compiler: Taylor's series on the eighth of a turn where it converges fast.
struct Angle {
  double cos, sin;
};
constexpr Angle angle_of(int k, int n) {
  if (k < 0 || k >= n) return angle_of((k % n + n) % n, n);
  if (2 * k > n) return {angle_of(n - k, n).cos, -angle_of(n - k, n).sin};
  if (4 * k > n) return {-angle_of(n - 2 * k, 2 * n).cos, angle_of(n - 2 * k, 2 * n).sin};  // π minus the angle
  if (8 * k > n) return {angle_of(n - 4 * k, 4 * n).sin, angle_of(n - 4 * k, 4 * n).cos};   // π/2 minus the angle
  const double x = 6.283185307179586477 * k / n;
  double cos = 0, sin = 0, term = 1;  // term: x^i / i!
  for (int i = 0; i < 20; i += 2) {
    const double sign = i % 4 == 0 ? 1 : -1;
    cos += sign * term;
    sin += sign * term * x / (i + 1);
    term *= x * x / ((i + 1) * (i + 2));
  }
  return {cos, sin};
}

// a · exp(-2πi k / n)
template <int k, int n>
HWY_INLINE ComplexVector turn(ComplexVector a) {
  if constexpr (k % n == 0) {
    return a;
  } else if constexpr (4 * k == n) {
    return times_minus_i(a);
  } else {
    constexpr Angle angle = angle_of(k, n);
    const FloatTag d;
    return multiply(a, hn::Set(d, static_cast<float>(angle.cos)), hn::Set(d, static_cast<float>(-angle.sin)));
  }
}

template <class Load, class Store>
HWY_INLINE void dft2(const Load& load, const Store& store) {
  const ComplexVector x0 = load(Index<0>()), x1 = load(Index<1>());
  store(Index<0>(), add(x0, x1));
  store(Index<1>(), subtract(x0, x1));
}

template <class Load, class Store>
HWY_INLINE void dft4(const Load& load, const Store& store) {
  const ComplexVector x0 = load(Index<0>()), x1 = load(Index<1>()), x2 = load(Index<2>()), x3 = load(Index<3>());
  const ComplexVector even0 = add(x0, x2), even1 = subtract(x0, x2);
  const ComplexVector odd0 = add(x1, x3), odd1 = subtract(x1, x3);
  store(Index<0>(), add(even0, odd0));
  store(Index<2>(), subtract(even0, odd0));
  // ∓ i · odd1, folded into the sums.
  store(Index<1>(), {hn::Add(even1.re, odd1.im), hn::Sub(even1.im, odd1.re)});
  store(Index<3>(), {hn::Sub(even1.re, odd1.im), hn::Add(even1.im, odd1.re)});
}

// Four points of even t and four of odd t; the turns by an eighth are √½ (1 - i) and -√½ (1 + i).
template <class Load, class Store>
HWY_INLINE void dft8(const Load& load, const Store& store) {
  ComplexVector even[4], odd[4];
  dft4([&](auto t) MELGRAD_INLINE_LAMBDA { return load(Index<2 * t>()); },
       [&](auto k, ComplexVector y) HWY_ATTR { even[k] = y; });
  dft4([&](auto t) MELGRAD_INLINE_LAMBDA { return load(Index<2 * t + 1>()); },
       [&](auto k, ComplexVector y) MELGRAD_INLINE_LAMBDA { odd[k] = y; });
  store(Index<0>(), add(even[0], odd[0]));
  store(Index<4>(), subtract(even[0], odd[0]));
  store(Index<2>(), {hn::Add(even[2].re, odd[2].im), hn::Sub(even[2].im, odd[2].re)});
  store(Index<6>(), {hn::Sub(even[2].re, odd[2].im), hn::Add(even[2].im, odd[2].re)});
  const Vector root = hn::Set(FloatTag(), 0.70710678118654752F);
  const ComplexVector eighth{hn::Add(odd[1].re, odd[1].im), hn::Sub(odd[1].im, odd[1].re)};       // (1 - i) odd[1]
  const ComplexVector minus_third{hn::Sub(odd[3].re, odd[3].im), hn::Add(odd[3].re, odd[3].im)};  // (1 + i) odd[3]
  store(Index<1>(), add_scaled(even[1], root, eighth));
  store(Index<5>(), subtract_scaled(even[1], root, eighth));
  store(Index<3>(), subtract_scaled(even[3], root, minus_third));
  store(Index<7>(), add_scaled(even[3], root, minus_third));
}

// y[k] and y[n - k] = x[0] + Σ cos(2π t k / n) (x[t] + x[n - t]) ∓ i Σ sin(2π t k / n) (x[t] - x[n - t]), t = 1 … n/2.
template <int n, class Load, class Store>
HWY_INLINE void dft_odd(const Load& load, const Store& store) {
  constexpr int half = n / 2;
  const FloatTag d;
  const ComplexVector x0 = load(Index<0>());
  ComplexVector sum[half], difference[half], total = x0;
  unroll<half>([&](auto i) MELGRAD_INLINE_LAMBDA {
    const ComplexVector a = load(Index<i + 1>()), b = load(Index<n - 1 - i>());
    sum[i] = add(a, b);
    difference[i] = subtract(a, b);
    total = add(total, sum[i]);
  });
  store(Index<0>(), total);
  unroll<half>([&](auto j) MELGRAD_INLINE_LAMBDA {
    constexpr int k = j + 1;
    ComplexVector cosines = x0, sines{hn::Zero(d), hn::Zero(d)};
    unroll<half>([&](auto i) MELGRAD_INLINE_LAMBDA {
      constexpr Angle angle = angle_of((i + 1) * k % n, n);
      cosines = add_scaled(cosines, hn::Set(d, static_cast<float>(angle.cos)), sum[i]);
      sines = add_scaled(sines, hn::Set(d, static_cast<float>(angle.sin)), difference[i]);
    });
    store(Index<k>(), {hn::Add(cosines.re, sines.im), hn::Sub(cosines.im, sines.re)});
    store(Index<n - k>(), {hn::Sub(cosines.re, sines.im), hn::Add(cosines.im, sines.re)});
  });
}

// The factor a of n = a · b.
constexpr int first_factor(int n) {
  for (int factor : {8, 4, 5, 3, 2})
    if (n % factor == 0 && factor < n) return factor;
  return n;
}

template <int n, class Load, class Store>
HWY_INLINE void dft(const Load& load, const Store& store) {
  if constexpr (n == 1) {
    store(Index<0>(), load(Index<0>()));
  } else if constexpr (n == 2) {
    dft2(load, store);
  } else if constexpr (n == 4) {
    dft4(load, store);
  } else if constexpr (n == 8) {
    dft8(load, store);
  } else if constexpr (n == 3 || n == 5) {
    dft_odd<n>(load, store);
  } else {
    // t = b · s + r and k = j + a · i: first over s for each r, then over r for each j.
    constexpr int a = first_factor(n), b = n / a;
    static_assert(1 < a && a < n);
    ComplexVector part[n];
    unroll<b>([&](auto r) MELGRAD_INLINE_LAMBDA {
      dft<a>([&](auto s) MELGRAD_INLINE_LAMBDA { return load(Index<b * s + r>()); },
             [&](auto j, ComplexVector y) MELGRAD_INLINE_LAMBDA { part[j * b + r] = turn<j * r, n>(y); });
    });
    unroll<a>([&](auto j) MELGRAD_INLINE_LAMBDA {
      dft<b>([&](auto r) MELGRAD_INLINE_LAMBDA { return part[j * b + r]; },
             [&](auto i, ComplexVector y) MELGRAD_INLINE_LAMBDA { store(Index<j + a * i>(), y); });
    });
  }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
