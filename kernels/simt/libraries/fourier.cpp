#include "kernels/simt/libraries/fourier.h"

#include <numbers>

namespace melgrad::simt {
namespace {

using Complex = std::complex<double>;

int64_t smallest_factor(int64_t n) {
  for (int64_t factor = 2; factor * factor <= n; ++factor)
    if (n % factor == 0) return factor;
  return n;
}

// The transform of x[0], x[stride], …: n elements to y. roots[i] is the i-th power of the n-th root of unity, where n
// is the whole line's: here every stride-th is needed.
void transform_line(const Complex* x, int64_t stride, int64_t n, const std::vector<Complex>& roots, Complex* y) {
  if (n == 1) {
    y[0] = x[0];
    return;
  }
  // Cooley and Tukey: `radix` transforms of every radix-th element, then one of `radix` for each of their outputs.
  const int64_t radix = smallest_factor(n), part = n / radix;
  std::vector<Complex> parts(static_cast<std::size_t>(n));
  for (int64_t r = 0; r < radix; ++r)
    transform_line(x + r * stride, stride * radix, part, roots, parts.data() + r * part);
  for (int64_t k = 0; k < n; ++k) {
    Complex sum = 0;
    for (int64_t r = 0; r < radix; ++r)
      sum += roots[static_cast<std::size_t>(r * k % n * (static_cast<int64_t>(roots.size()) / n))] *
             parts[static_cast<std::size_t>(r * part + k % part)];
    y[k] = sum;
  }
}

}  // namespace

void fourier_transform(std::vector<Complex>& x, std::span<const int64_t> sizes, int direction) {
  const auto elements = static_cast<int64_t>(x.size());
  int64_t inner = elements, outer = 1;
  for (const int64_t n : sizes) {
    inner /= n;
    std::vector<Complex> roots, line(static_cast<std::size_t>(n)), result(static_cast<std::size_t>(n));
    for (int64_t i = 0; i < n; ++i)
      roots.push_back(
          std::polar(1.0, direction * 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n)));
    for (int64_t i = 0; i < outer * inner; ++i) {
      Complex* first = x.data() + i / inner * n * inner + i % inner;
      for (int64_t j = 0; j < n; ++j) line[static_cast<std::size_t>(j)] = first[j * inner];
      transform_line(line.data(), 1, n, roots, result.data());
      for (int64_t j = 0; j < n; ++j) first[j * inner] = result[static_cast<std::size_t>(j)];
    }
    outer *= n;
  }
}

}  // namespace melgrad::simt
