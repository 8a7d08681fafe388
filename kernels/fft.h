// Discrete Fourier transforms of real signals of any length, on the host.
//
// Stockham's autosort algorithm (Cochran et al., "What is the fast Fourier transform?", Proc. IEEE 55, 1967) with
// radices 4, 2, 3 and 5 and plain sums for other primes: O(n · sum of n's prime factors). An even n is done as a
// complex transform of half the length. Twiddle factors are computed in f64; the error is below 1e-6 of the result's
// norm.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/cost.h"
#include "kernels/lanes.h"

namespace melgrad {

template <class V>
struct Complex {
  V re;
  V im;
};

// exp(-2πi k / n)
Complex<float> root_of_unity(int64_t k, int64_t n);

// The plan for one length: immutable, so any number of threads may share it.
class RealFft {
 public:
  explicit RealFft(int64_t n);  // throws Error unless 1 <= n <= 2^30

  int64_t size() const { return n_; }
  int64_t bins() const { return n_ / 2 + 1; }
  int64_t workspace_size() const { return 2 * complex_size_; }

  // y[k] = Σ x[t] exp(-2πi k t / n) for k = 0 … n / 2. x (n), y (bins()), workspace (workspace_size()), none of which
  // overlap. V is float, or Lanes for four signals at once; each lane gets the bits it would get alone.
  template <class V>
  void forward(const V* x, Complex<V>* y, Complex<V>* workspace) const;

 private:
  struct Stage {
    int64_t radix;
    int64_t done;  // product of the radices before
    int64_t rest;  // product of the radices after
    std::size_t twiddles;
    std::size_t roots;
  };
  template <class V>
  const Complex<V>* transform(Complex<V>* data, Complex<V>* other) const;
  template <class V>
  void run_stage(const Stage& stage, const Complex<V>* x, Complex<V>* y) const;

  int64_t n_;
  int64_t complex_size_;  // n / 2, or n if that is odd
  std::vector<Stage> stages_;
  std::vector<Complex<float>> twiddles_;       // per stage (done, radix - 1)
  std::vector<Complex<float>> roots_;          // of unity, per stage of another radix
  std::vector<Complex<float>> real_twiddles_;  // exp(-2πi k / n), k < n / 2
};

// The plan for a length, made once and kept for the life of the program.
std::shared_ptr<const RealFft> real_fft(int64_t n);

// Nominal, as benchmarks of FFTs count: 2.5 n log2 n.
Cost real_fft_cost(int64_t n);

}  // namespace melgrad
