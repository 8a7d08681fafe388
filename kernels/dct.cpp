#include "kernels/dct.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/cpu/dct.h"
#include "kernels/error.h"

namespace melgrad {

Dct::Dct(int64_t n, int64_t coefficients)
    : n_(n),
      coefficients_(coefficients),
      padded_((coefficients + cpu::dct_padding - 1) / cpu::dct_padding * cpu::dct_padding) {
  require(1 <= coefficients && coefficients <= n, "dct: {} coefficients of {} values", coefficients, n);
  matrix_.resize(static_cast<std::size_t>(n * padded_));
  for (int64_t t = 0; t < n; ++t) {
    for (int64_t c = 0; c < coefficients; ++c) {
      const double scale = std::sqrt((c == 0 ? 1.0 : 2.0) / static_cast<double>(n));
      // The angle's whole turns are taken off in integers: cos of a large number is less exact.
      const double quarter_steps = static_cast<double>(c * (2 * t + 1) % (4 * n));
      matrix_[static_cast<std::size_t>(t * padded_ + c)] =
          static_cast<float>(scale * std::cos(std::numbers::pi * quarter_steps / (2 * static_cast<double>(n))));
    }
  }
}

void Dct::apply(std::span<const float> x, std::span<float> y) const {
  require(static_cast<int64_t>(x.size()) == n_ && static_cast<int64_t>(y.size()) == coefficients_,
          "dct: x ({}) and y ({}), expected ({}) and ({})", x.size(), y.size(), n_, coefficients_);
  apply_rows(x.data(), 1, y.data());
}

void Dct::apply_rows(const float* x, int64_t rows, float* y) const {
  cpu::dct_rows(x, rows, n_, matrix_.data(), padded_, coefficients_, y);
}

}  // namespace melgrad
