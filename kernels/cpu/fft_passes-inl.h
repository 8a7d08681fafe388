// The passes of a real FFT with one frame in each lane; kernels/cpu/fft_plan.h has the formulas.
//
// The first pass takes the window along, the last splits the spectra of even and odd samples and squares. So the data
// is read from where the loader put it, goes through one buffer (for two passes), and comes out as |X|².
//
// Included once for each target; see Highway's foreach_target.
#include "kernels/cpu/fft_codelets-inl.h"
#include "kernels/cpu/fft_plan.h"
#include "kernels/cpu/fft_radices.h"

#if defined(MELGRAD_KERNELS_CPU_FFT_PASSES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_FFT_PASSES_INL_H_
#undef MELGRAD_KERNELS_CPU_FFT_PASSES_INL_H_
#else
#define MELGRAD_KERNELS_CPU_FFT_PASSES_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// Floats of one complex vector.
inline constexpr int64_t complex_stride = 2 * vector_lanes;

// A point z[t] = x[2t] + i x[2t + 1] of a frame: where its two samples lie in the loader's table, and the window's values.
struct FramePoint {
  int32_t even, odd;
  float even_weight, odd_weight;
};

// Those of frames, one frame a lane, in the order in which the first pass takes them: so it walks through one list, where
// tables by t would need the addresses of `radix` places in each.
struct FramePoints {
  const float* samples;
  const FramePoint* points;  // (rest, radix)

  template <int radix>
  HWY_INLINE ComplexVector point(int64_t k, int64_t, int q) const {
    const FloatTag d;
    const FramePoint& p = points[k * radix + q];
    return {hn::Mul(hn::LoadU(d, samples + p.even), hn::Set(d, p.even_weight)),
            hn::Mul(hn::LoadU(d, samples + p.odd), hn::Set(d, p.odd_weight))};
  }
};

// Those of one frame: vector t holds z[lanes · t], z[lanes · t + 1], …
struct InterleavedPoints {
  const float* samples;  // (n_fft)
  const float* window;   // (n_fft / lanes / 2, 2, lanes): even and odd samples apart

  template <int>
  HWY_INLINE ComplexVector point(int64_t k, int64_t rest, int q) const {
    const FloatTag d;
    const int64_t t = k + rest * q;
    Vector even, odd;
    hn::LoadInterleaved2(d, samples + t * complex_stride, even, odd);
    return {hn::Mul(even, hn::LoadU(d, window + t * complex_stride)),
            hn::Mul(odd, hn::LoadU(d, window + t * complex_stride + vector_lanes))};
  }
};

template <int radix, class Points>
void first_pass(const FftPass& pass, const Points& points, float* HWY_RESTRICT y) {
  const int64_t rest = pass.rest, row = row_points(rest) * complex_stride;
  for (int64_t k = 0; k < rest; ++k) {
    float* to = y + k * complex_stride;
    dft<radix>([&](auto q) MELGRAD_INLINE_LAMBDA { return points.template point<radix>(k, rest, q); },
               [&](auto r, ComplexVector value) MELGRAD_INLINE_LAMBDA { store_complex(value, to + r * row); });
  }
}

template <int radix>
void next_pass(const FftPass& pass, const float* HWY_RESTRICT x, float* HWY_RESTRICT y) {
  const int64_t done = pass.done, rest = pass.rest;
  const int64_t x_row = row_points(rest * radix) * complex_stride, y_row = row_points(rest) * complex_stride;
  for (int64_t j = 0; j < done; ++j) {
    const float* twiddles = pass.twiddles.data() + j * 2 * radix;
    for (int64_t k = 0; k < rest; ++k) {
      const float* from = x + j * x_row + k * complex_stride;
      float* to = y + j * y_row + k * complex_stride;
      dft<radix>(
          [&](auto q) MELGRAD_INLINE_LAMBDA {
            const ComplexVector value = load_complex(from + q * rest * complex_stride);
            if constexpr (q == 0) return value;
            return multiply(value, twiddles + 2 * q);
          },
          [&](auto r, ComplexVector value) MELGRAD_INLINE_LAMBDA { store_complex(value, to + r * done * y_row); });
    }
  }
}

// Row j of the last pass: z[r] = Z[j + done · r].
template <int radix>
HWY_INLINE void last_row(const FftPass& pass, const float* HWY_RESTRICT x, int64_t j, ComplexVector* HWY_RESTRICT z) {
  const float* twiddles = pass.twiddles.data() + j * 2 * radix;
  const float* from = x + j * row_points(radix) * complex_stride;
  dft<radix>(
      [&](auto q) MELGRAD_INLINE_LAMBDA {
        const ComplexVector value = load_complex(from + q * complex_stride);
        if constexpr (q == 0) return value;
        return multiply(value, twiddles + 2 * q);
      },
      [&](auto r, ComplexVector value) MELGRAD_INLINE_LAMBDA { z[r] = value; });
}

// Z is the transform of even samples plus i times that of odd ones, each of which is conjugate-symmetric. With a = Z[k],
// b = Z[M - k] and w = -i exp(-πi k / M): X[k] = (a + b* + w (a - b*)) / 2, X[M - k]* = (a + b* - w (a - b*)) / 2. The
// window holds the half.
struct SplitPowers {
  Vector upper, lower;  // |X[k]|², |X[M - k]|²
};
HWY_INLINE SplitPowers split_powers(ComplexVector a, ComplexVector b, Vector w_re, Vector w_im) {
  const ComplexVector b_conjugate{b.re, hn::Neg(b.im)};
  const ComplexVector even = add(a, b_conjugate), odd = multiply(subtract(a, b_conjugate), w_re, w_im);
  const ComplexVector upper = add(even, odd), lower = subtract(even, odd);
  return {hn::MulAdd(upper.re, upper.re, hn::Mul(upper.im, upper.im)),
          hn::MulAdd(lower.re, lower.re, hn::Mul(lower.im, lower.im))};
}

// Rows j and done - j hold each other's mirror images; rows 0 and done / 2 hold their own. powers (M + 1, lanes).
template <int radix>
void last_pass(const FftPass& pass, const float* split, const float* HWY_RESTRICT x, float* HWY_RESTRICT powers) {
  const int64_t done = pass.done, size = done * radix;
  ComplexVector row[radix], other[radix];
  const FloatTag d;
  for (int64_t j = 0; 2 * j <= done; ++j) {
    last_row<radix>(pass, x, j, row);
    const bool alone = j == 0 || 2 * j == done;
    if (!alone) last_row<radix>(pass, x, done - j, other);
    const ComplexVector* mirror = alone ? row : other;
    const int64_t turned = j == 0 ? radix : radix - 1;  // the mirror of k = j + done · r is at (turned - r) % radix
    const int64_t count = alone ? turned / 2 + 1 : radix;
    for (int64_t r = 0; r < count; ++r) {
      const int64_t k = j + done * r, opposite = r == 0 && j == 0 ? 0 : turned - r;
      const float* w = split + 2 * k;
      const SplitPowers both = split_powers(row[r], mirror[opposite], hn::Set(d, w[0]), hn::Set(d, w[1]));
      hn::Store(both.upper, d, powers + k * vector_lanes);
      hn::Store(both.lower, d, powers + (size - k) * vector_lanes);
    }
  }
}

// The passes of one plan, chosen by their radices once.
struct FftFunctions {
  void (*first)(const FftPass&, const FramePoints&, float*) = nullptr;
  void (*first_of_one)(const FftPass&, const InterleavedPoints&, float*) = nullptr;
  std::vector<void (*)(const FftPass&, const float*, float*)> next;                  // all but the first
  void (*last)(const FftPass&, const float* split, const float*, float*) = nullptr;  // in place of the last of them
};

template <std::size_t... i>
FftFunctions fft_functions(const FftPlan& plan, std::index_sequence<i...>) {
  FftFunctions functions;
  const auto choose = [&](const FftPass& pass, auto radix) {
    if (pass.radix != radix) return;
    if (pass.done == 1) {
      functions.first = first_pass<radix, FramePoints>;
      functions.first_of_one = first_pass<radix, InterleavedPoints>;
    } else {
      functions.next.push_back(next_pass<radix>);
      functions.last = last_pass<radix>;
    }
  };
  for (const FftPass& pass : plan.passes) (choose(pass, Index<compiled_radices[i]>()), ...);
  return functions;
}

inline FftFunctions fft_functions(const FftPlan& plan) {
  return fft_functions(plan, std::make_index_sequence<compiled_radices.size()>());
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
