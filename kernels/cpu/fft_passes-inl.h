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

// Where sample n of the frames lies: samples + offsets[n], one frame a lane, unaligned.
struct FrameSamples {
  const float* samples;
  const int32_t* offsets;  // (n_fft)
  const float* window;     // (n_fft)
};

template <int radix>
void first_pass(const FftPass& pass, const FrameSamples& frames, float* HWY_RESTRICT y) {
  const FloatTag d;
  const int64_t rest = pass.rest, row = (rest + 1) * complex_stride;
  for (int64_t k = 0; k < rest; ++k) {
    const int32_t* at = frames.offsets + 2 * k;
    const float* window = frames.window + 2 * k;
    float* to = y + k * complex_stride;
    dft<radix>(
        [&](auto q) HWY_ATTR {
          const int64_t n = 2 * rest * q;
          return ComplexVector{hn::Mul(hn::LoadU(d, frames.samples + at[n]), hn::Set(d, window[n])),
                               hn::Mul(hn::LoadU(d, frames.samples + at[n + 1]), hn::Set(d, window[n + 1]))};
        },
        [&](auto r, ComplexVector value) HWY_ATTR { store_complex(value, to + r * row); });
  }
}

template <int radix>
void middle_pass(const FftPass& pass, const float* HWY_RESTRICT x, float* HWY_RESTRICT y) {
  const int64_t done = pass.done, rest = pass.rest;
  const int64_t x_row = (rest * radix + 1) * complex_stride, y_row = (rest + 1) * complex_stride;
  for (int64_t j = 0; j < done; ++j) {
    const float* twiddles = pass.twiddles.data() + j * 2 * radix;
    for (int64_t k = 0; k < rest; ++k) {
      const float* from = x + j * x_row + k * complex_stride;
      float* to = y + j * y_row + k * complex_stride;
      dft<radix>(
          [&](auto q) HWY_ATTR {
            const ComplexVector value = load_complex(from + q * rest * complex_stride);
            if constexpr (q == 0) return value;
            return multiply(value, twiddles + 2 * q);
          },
          [&](auto r, ComplexVector value) HWY_ATTR { store_complex(value, to + r * done * y_row); });
    }
  }
}

// Row j of the last pass: z[r] = Z[j + done · r].
template <int radix>
HWY_INLINE void last_row(const FftPass& pass, const float* HWY_RESTRICT x, int64_t j, ComplexVector* HWY_RESTRICT z) {
  const float* twiddles = pass.twiddles.data() + j * 2 * radix;
  const float* from = x + j * (radix + 1) * complex_stride;
  dft<radix>(
      [&](auto q) HWY_ATTR {
        const ComplexVector value = load_complex(from + q * complex_stride);
        if constexpr (q == 0) return value;
        return multiply(value, twiddles + 2 * q);
      },
      [&](auto r, ComplexVector value) HWY_ATTR { z[r] = value; });
}

// Z is the transform of even samples plus i times that of odd ones, each of which is conjugate-symmetric. With a = Z[k],
// b = Z[M - k] and w = -i exp(-πi k / M): X[k] = (a + b* + w (a - b*)) / 2, X[M - k]* = (a + b* - w (a - b*)) / 2. The
// window holds the half.
HWY_INLINE void split_powers(ComplexVector a, ComplexVector b, const float* w, float* power, float* mirrored) {
  const FloatTag d;
  const ComplexVector b_conjugate{b.re, hn::Neg(b.im)};
  const ComplexVector even = add(a, b_conjugate), odd = multiply(subtract(a, b_conjugate), w);
  const ComplexVector upper = add(even, odd), lower = subtract(even, odd);
  hn::Store(hn::MulAdd(upper.re, upper.re, hn::Mul(upper.im, upper.im)), d, power);
  hn::Store(hn::MulAdd(lower.re, lower.re, hn::Mul(lower.im, lower.im)), d, mirrored);
}

// Rows j and done - j hold each other's mirror images; rows 0 and done / 2 hold their own. powers (M + 1, lanes).
template <int radix>
void last_pass(const FftPass& pass, const float* split, const float* HWY_RESTRICT x, float* HWY_RESTRICT powers) {
  const int64_t done = pass.done, size = done * radix;
  ComplexVector row[radix], other[radix];
  for (int64_t j = 0; 2 * j <= done; ++j) {
    last_row<radix>(pass, x, j, row);
    const bool alone = j == 0 || 2 * j == done;
    if (!alone) last_row<radix>(pass, x, done - j, other);
    const ComplexVector* mirror = alone ? row : other;
    const int64_t turned = j == 0 ? radix : radix - 1;  // the mirror of k = j + done · r is at (turned - r) % radix
    const int64_t count = alone ? turned / 2 + 1 : radix;
    for (int64_t r = 0; r < count; ++r) {
      const int64_t k = j + done * r, opposite = r == 0 && j == 0 ? 0 : turned - r;
      split_powers(row[r], mirror[opposite], split + 2 * k, powers + k * vector_lanes,
                   powers + (size - k) * vector_lanes);
    }
  }
}

// The passes of one plan, chosen by their radices once.
struct FftFunctions {
  void (*first)(const FftPass&, const FrameSamples&, float*) = nullptr;
  std::vector<void (*)(const FftPass&, const float*, float*)> middle;
  void (*last)(const FftPass&, const float* split, const float*, float*) = nullptr;
};

template <std::size_t... i>
FftFunctions fft_functions(const FftPlan& plan, std::index_sequence<i...>) {
  FftFunctions functions;
  const auto choose = [&](const FftPass& pass, auto radix) {
    if (pass.radix != radix) return;
    if (pass.done == 1) {
      functions.first = first_pass<radix>;
    } else if (pass.rest == 1) {
      functions.last = last_pass<radix>;
    } else {
      functions.middle.push_back(middle_pass<radix>);
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
