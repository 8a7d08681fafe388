// The power spectrum of one long frame with all lanes of a vector at work on it, for sizes of which a group of frames
// would not fit the cache.
//
// The M complex points z[t] = x[2t] + i x[2t + 1] are L = lanes interleaved sequences: lane r of vector t holds
// z[L t + r], which is how they lie in memory. The passes of kernels/cpu/fft_passes-inl.h transform each lane by itself,
// Y_r[k], k < M / L. What joins them is a DFT over the lanes,
//
//   Z[k + j M / L] = Σ over r of exp(-2πi r j / L) · exp(-2πi r k / M) Y_r[k],
//
// for which L neighbours k are transposed: then r counts vectors, and lanes are neighbours of the result.
//
// Included once for each target; see Highway's foreach_target.
#include "kernels/cpu/fft_passes-inl.h"

#if defined(MELGRAD_KERNELS_CPU_ONE_FRAME_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_ONE_FRAME_INL_H_
#undef MELGRAD_KERNELS_CPU_ONE_FRAME_INL_H_
#else
#define MELGRAD_KERNELS_CPU_ONE_FRAME_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

class OneFrameFft {
 public:
  // M must be a multiple of lanes², and M / lanes have radices.
  static bool takes(int64_t n_fft) {
    const int64_t square = int64_t{vector_lanes} * vector_lanes;
    return vector_lanes > 1 && n_fft % (2 * square) == 0 && !fft_radices(n_fft / 2 / vector_lanes).empty();
  }

  explicit OneFrameFft(const std::vector<float>& window)
      : size_(static_cast<int64_t>(window.size()) / 2), plan_(size_ / vector_lanes), functions_(fft_functions(plan_)) {
    for (int64_t t = 0; t < size_; t += vector_lanes)
      for (int64_t odd = 0; odd < 2; ++odd)
        for (int64_t r = 0; r < vector_lanes; ++r)
          window_.push_back(0.5F * window[static_cast<std::size_t>(2 * (t + r) + odd)]);  // the split's half
    for (int64_t k = 0; k < plan_.size; ++k) {
      for (int64_t r = 0; r < vector_lanes; ++r) turns_.push_back(root_of_unity(r * k, size_).re);
      for (int64_t r = 0; r < vector_lanes; ++r) turns_.push_back(root_of_unity(r * k, size_).im);
    }
    for (int64_t k = 0; k <= size_ / 2 + vector_lanes; ++k) {
      const Complex<float> root = root_of_unity(2 * k + size_, 4 * size_);  // -i exp(-πi k / M)
      split_re_.push_back(root.re);
      split_im_.push_back(root.im);
    }
  }

  // Floats: two buffers between passes, and the spectrum.
  int64_t workspace() const { return 2 * plan_.buffer_size() * complex_stride + 2 * (size_ + vector_lanes); }

  // powers[k] = |X[k]|² of the frame x (2 M) times the window, k = 0 … M.
  void transform(const float* x, float* workspace, float* powers) const {
    float* from = workspace;
    float* to = workspace + plan_.buffer_size() * complex_stride;
    functions_.first_of_one(plan_.passes.front(), InterleavedPoints{x, window_.data()}, from);
    for (std::size_t i = 1; i < plan_.passes.size(); ++i) {
      functions_.next[i - 1](plan_.passes[i], from, to);
      std::swap(from, to);
    }
    float* re = workspace + 2 * plan_.buffer_size() * complex_stride;
    float* im = re + size_ + vector_lanes;
    join_lanes(from, re, im);
    re[size_] = re[0];  // Z[M] = Z[0]
    im[size_] = im[0];
    split(re, im, powers);
  }

 private:
  void join_lanes(const float* HWY_RESTRICT y, float* HWY_RESTRICT re, float* HWY_RESTRICT im) const {
    const FloatTag d;
    for (int64_t k = 0; k < plan_.size; k += vector_lanes) {
      Vector block_re[vector_lanes], block_im[vector_lanes];
      unroll<vector_lanes>([&](auto i) MELGRAD_INLINE_LAMBDA {
        const float* turn = turns_.data() + (k + i) * complex_stride;
        const ComplexVector turned =
            multiply(load_complex(y + (k + i) * complex_stride), hn::LoadU(d, turn), hn::LoadU(d, turn + vector_lanes));
        block_re[i] = turned.re;
        block_im[i] = turned.im;
      });
      transpose(block_re);
      transpose(block_im);
      dft<vector_lanes>(
          [&](auto r) MELGRAD_INLINE_LAMBDA {
            return ComplexVector{block_re[r], block_im[r]};
          },
          [&](auto j, ComplexVector z) MELGRAD_INLINE_LAMBDA {
            hn::StoreU(z.re, d, re + k + j * plan_.size);
            hn::StoreU(z.im, d, im + k + j * plan_.size);
          });
    }
  }

  // As split_powers() of a lane a frame, with neighbours k in the lanes and their mirror images in reverse.
  void split(const float* HWY_RESTRICT re, const float* HWY_RESTRICT im, float* HWY_RESTRICT powers) const {
    const FloatTag d;
    for (int64_t k = 0; k <= size_ / 2; k += vector_lanes) {
      const int64_t mirror = size_ - k - (vector_lanes - 1);
      const ComplexVector a{hn::LoadU(d, re + k), hn::LoadU(d, im + k)};
      const ComplexVector b{hn::Reverse(d, hn::LoadU(d, re + mirror)), hn::Reverse(d, hn::LoadU(d, im + mirror))};
      const SplitPowers both =
          split_powers(a, b, hn::LoadU(d, split_re_.data() + k), hn::LoadU(d, split_im_.data() + k));
      hn::StoreU(both.upper, d, powers + k);
      hn::StoreU(hn::Reverse(d, both.lower), d, powers + mirror);
    }
  }

  int64_t size_;
  FftPlan plan_;
  FftFunctions functions_;
  std::vector<float> window_;               // (M / L, 2, L): of even and of odd samples
  std::vector<float> turns_;                // (M / L, 2, L): exp(-2πi r k / M)
  std::vector<float> split_re_, split_im_;  // by k
};

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
