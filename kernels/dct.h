// The discrete cosine transform DCT-II in its orthonormal form, as a product with a matrix.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cost.h"

namespace melgrad {

class Dct {
 public:
  // The first `coefficients` of the transform of n values; 1 <= coefficients <= n, or Error.
  Dct(int64_t n, int64_t coefficients);

  int64_t size() const { return n_; }
  int64_t coefficients() const { return coefficients_; }

  // y[c] = s_c Σ x[t] cos(π c (2t + 1) / 2n), s_0 = √(1/n), s_c = √(2/n). x (n), y (coefficients), not overlapping;
  // throws Error for other sizes. SciPy: dct(x, type=2, norm="ortho")[:coefficients].
  void apply(std::span<const float> x, std::span<float> y) const;

  // The same for each row of x (rows, n), y (rows, coefficients), with the same bits: a product with a matrix, which is small for
  // the 13 to 40 coefficients that are in use.
  void apply_rows(const float* x, int64_t rows, float* y) const;

  Cost cost() const { return {2 * n_ * coefficients_, 4 * (n_ + coefficients_ + n_ * coefficients_)}; }

 private:
  int64_t n_;
  int64_t coefficients_;
  int64_t padded_;             // coefficients, up to a whole number of vectors
  std::vector<float> matrix_;  // (n, padded): the inner loop goes over neighbours
};

}  // namespace melgrad
