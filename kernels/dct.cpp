#include "kernels/dct.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/error.h"

namespace melgrad {

Dct::Dct(int64_t n, int64_t coefficients) : n_(n), coefficients_(coefficients) {
  require(1 <= coefficients && coefficients <= n, "dct: {} coefficients of {} values", coefficients, n);
  matrix_.reserve(static_cast<std::size_t>(n * coefficients));
  for (int64_t t = 0; t < n; ++t) {
    for (int64_t c = 0; c < coefficients; ++c) {
      const double scale = std::sqrt((c == 0 ? 1.0 : 2.0) / static_cast<double>(n));
      // The angle's whole turns are taken off in integers: cos of a large number is less exact.
      const double quarter_steps = static_cast<double>(c * (2 * t + 1) % (4 * n));
      matrix_.push_back(
          static_cast<float>(scale * std::cos(std::numbers::pi * quarter_steps / (2 * static_cast<double>(n)))));
    }
  }
}

void Dct::apply(std::span<const float> x, std::span<float> y) const {
  require(static_cast<int64_t>(x.size()) == n_ && static_cast<int64_t>(y.size()) == coefficients_,
          "dct: x ({}) and y ({}), expected ({}) and ({})", x.size(), y.size(), n_, coefficients_);
  std::fill(y.begin(), y.end(), 0.0F);
  const float* row = matrix_.data();
  for (float value : x) {
    for (std::size_t c = 0; c < y.size(); ++c) y[c] += value * row[c];
    row += coefficients_;
  }
}

}  // namespace melgrad
