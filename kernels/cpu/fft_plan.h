// The numbers that a real FFT of 2 M points needs, for any width of vectors: its passes and their factors.
//
// The M complex points are z[t] = x[2t] + i x[2t + 1]. A pass of radix p finds them as `done` rows of `rest` · p, where
// row j holds, for each k below its length, the sum over t of z[k + length · t] exp(-2πi j t / done). It merges p points
// of a row, `rest` apart, into p rows:
//
//   y[j + done · r][k] = Σ over q of exp(-2πi (j + done · r) q / (done · p)) x[j][k + rest · q]
//
// which is a twiddle factor exp(-2πi j q / (done · p)) for each input and a DFT of p points (Stockham's autosort form;
// Van Loan, "Computational Frameworks for the Fast Fourier Transform", 1992, section 1.7). After the last pass row k is
// Z[k], in order. Two passes, of radices near √M, do for M up to 1024: each touches the data once.
#pragma once

#include <cstdint>
#include <vector>

namespace melgrad::cpu {

struct FftPass {
  int radix;
  int64_t done;                 // the product of the radices before
  int64_t rest;                 // the product of the radices after
  std::vector<float> twiddles;  // (done, radix, 2)
};

// The points between the beginnings of two rows. Their length is often a power of two, and rows that far apart would
// share a set of the cache.
constexpr int64_t row_points(int64_t length) {
  return length > 1 ? length + 1 : 1;
}

struct FftPlan {
  int64_t size = 0;  // M
  std::vector<FftPass> passes;
  std::vector<float> split;  // (M, 2): -i exp(-πi k / M), which tells the even samples' spectrum from the odd samples'

  explicit FftPlan(int64_t complex_size);
  // Complex vectors between two passes.
  int64_t buffer_size() const;
};

// Radices whose product is M, at least two, as few as possible; empty if there are none.
std::vector<int> fft_radices(int64_t complex_size);

}  // namespace melgrad::cpu
