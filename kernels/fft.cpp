#include "kernels/fft.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <numbers>
#include <utility>

#include "kernels/error.h"

namespace melgrad {
namespace {

std::vector<int64_t> radices(int64_t n) {
  std::vector<int64_t> factors;
  for (int64_t factor : {4, 2, 3, 5}) {
    for (; n % factor == 0; n /= factor) factors.push_back(factor);
  }
  for (int64_t factor = 7; n > 1; factor += 2) {
    if (factor * factor > n) factor = n;  // what is left is prime
    for (; n % factor == 0; n /= factor) factors.push_back(factor);
  }
  return factors;
}

template <class V>
Complex<V> operator+(Complex<V> a, Complex<V> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class V>
Complex<V> operator-(Complex<V> a, Complex<V> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class V>
Complex<V> operator*(Complex<float> w, Complex<V> a) {
  return {w.re * a.re - w.im * a.im, w.re * a.im + w.im * a.re};
}
template <class V>
Complex<V> times(float factor, Complex<V> a) {
  return {factor * a.re, factor * a.im};
}
template <class V>
Complex<V> times_minus_i(Complex<V> a) {
  return {a.im, -a.re};
}

// The butterflies: y[r · step] = Σ a[q] exp(-2πi r q / radix).
template <class V>
void butterfly2(const Complex<V>* a, Complex<V>* y, int64_t step) {
  y[0] = a[0] + a[1];
  y[step] = a[0] - a[1];
}

template <class V>
void butterfly3(const Complex<V>* a, Complex<V>* y, int64_t step) {
  constexpr float half_sqrt3 = 0.866025403784438647F;
  const Complex<V> sum = a[1] + a[2];
  const Complex<V> difference = times_minus_i(times(half_sqrt3, a[1] - a[2]));
  const Complex<V> middle = a[0] - times(0.5F, sum);
  y[0] = a[0] + sum;
  y[step] = middle + difference;
  y[2 * step] = middle - difference;
}

template <class V>
void butterfly4(const Complex<V>* a, Complex<V>* y, int64_t step) {
  const Complex<V> even_sum = a[0] + a[2], even_difference = a[0] - a[2];
  const Complex<V> odd_sum = a[1] + a[3], odd_difference = times_minus_i(a[1] - a[3]);
  y[0] = even_sum + odd_sum;
  y[step] = even_difference + odd_difference;
  y[2 * step] = even_sum - odd_sum;
  y[3 * step] = even_difference - odd_difference;
}

template <class V>
void butterfly5(const Complex<V>* a, Complex<V>* y, int64_t step) {
  constexpr float cos1 = 0.309016994374947424F, cos2 = -0.809016994374947424F;  // of 2π / 5 and 4π / 5
  constexpr float sin1 = 0.951056516295153572F, sin2 = 0.587785252292473129F;
  const Complex<V> sum1 = a[1] + a[4], sum2 = a[2] + a[3];
  const Complex<V> difference1 = a[1] - a[4], difference2 = a[2] - a[3];
  const Complex<V> middle1 = a[0] + times(cos1, sum1) + times(cos2, sum2);
  const Complex<V> middle2 = a[0] + times(cos2, sum1) + times(cos1, sum2);
  const Complex<V> turn1 = times_minus_i(times(sin1, difference1) + times(sin2, difference2));
  const Complex<V> turn2 = times_minus_i(times(sin2, difference1) - times(sin1, difference2));
  y[0] = a[0] + sum1 + sum2;
  y[step] = middle1 + turn1;
  y[2 * step] = middle2 + turn2;
  y[3 * step] = middle2 - turn2;
  y[4 * step] = middle1 - turn1;
}

// Any radix, in blocks so that rounding errors of long sums stay small.
template <class V>
void butterfly_any(const Complex<V>* a, Complex<V>* y, int64_t step, int64_t radix, const Complex<float>* roots) {
  constexpr int64_t block = 16;
  for (int64_t r = 0; r < radix; ++r) {
    Complex<V> total{};
    for (int64_t start = 0; start < radix; start += block) {
      Complex<V> sum{};
      for (int64_t q = start; q < std::min(start + block, radix); ++q) sum = sum + roots[r * q % radix] * a[q];
      total = total + sum;
    }
    y[r * step] = total;
  }
}

}  // namespace

Complex<float> root_of_unity(int64_t k, int64_t n) {
  const double angle = -2 * std::numbers::pi * static_cast<double>(k % n) / static_cast<double>(n);
  return {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
}

RealFft::RealFft(int64_t n) : n_(n), complex_size_(n % 2 == 0 ? n / 2 : n) {
  require(n >= 1 && n <= (int64_t{1} << 30), "real_fft: size {} is not in 1 … 2^30", n);
  int64_t done = 1;
  for (int64_t radix : radices(complex_size_)) {
    stages_.push_back({radix, done, complex_size_ / (done * radix), twiddles_.size(), roots_.size()});
    for (int64_t j = 0; j < done; ++j)
      for (int64_t q = 1; q < radix; ++q) twiddles_.push_back(root_of_unity(j * q, done * radix));
    if (radix > 5)
      for (int64_t q = 0; q < radix; ++q) roots_.push_back(root_of_unity(q, radix));
    done *= radix;
  }
  if (n % 2 == 0)
    for (int64_t k = 0; k < n / 2; ++k) real_twiddles_.push_back(root_of_unity(k, n));
}

// With l radices' product done, x[j · m + k] = Σ over t of data[k + m t] exp(-2πi j t / l), m = n / l. The stage of
// radix p merges p of these: y[(j + l r) · m/p + k] = Σ over q of exp(-2πi (j + l r) q / (l p)) x[j · m + k + q · m/p].
template <class V>
void RealFft::run_stage(const Stage& stage, const Complex<V>* x, Complex<V>* y) const {
  const auto [radix, done, rest, first_twiddle, first_root] = stage;
  constexpr int64_t on_stack = 5;
  Complex<V> few[on_stack];
  std::vector<Complex<V>> many(static_cast<std::size_t>(radix > on_stack ? radix : 0));
  Complex<V>* a = radix > on_stack ? many.data() : few;
  for (int64_t j = 0; j < done; ++j) {
    const Complex<float>* twiddle = twiddles_.data() + first_twiddle + j * (radix - 1);
    for (int64_t k = 0; k < rest; ++k) {
      const Complex<V>* from = x + j * radix * rest + k;
      Complex<V>* to = y + j * rest + k;
      a[0] = from[0];
      for (int64_t q = 1; q < radix; ++q) a[q] = j == 0 ? from[q * rest] : twiddle[q - 1] * from[q * rest];
      if (radix == 4) {
        butterfly4(a, to, done * rest);
      } else if (radix == 2) {
        butterfly2(a, to, done * rest);
      } else if (radix == 3) {
        butterfly3(a, to, done * rest);
      } else if (radix == 5) {
        butterfly5(a, to, done * rest);
      } else {
        butterfly_any(a, to, done * rest, radix, roots_.data() + first_root);
      }
    }
  }
}

template <class V>
const Complex<V>* RealFft::transform(Complex<V>* data, Complex<V>* other) const {
  for (const Stage& stage : stages_) {
    run_stage(stage, data, other);
    std::swap(data, other);
  }
  return data;
}

template <class V>
void RealFft::forward(const V* x, Complex<V>* y, Complex<V>* workspace) const {
  if (n_ % 2 != 0) {
    for (int64_t t = 0; t < n_; ++t) workspace[t] = {x[t], V{}};
    const Complex<V>* z = transform(workspace, workspace + n_);
    std::copy(z, z + bins(), y);
    return;
  }
  // z[t] = x[2t] + i x[2t+1]; its transform is E + iO with E and O those of the even and the odd samples, which their
  // symmetry tells apart: E[k] = conj E[half - k].
  const int64_t half = n_ / 2;
  for (int64_t t = 0; t < half; ++t) workspace[t] = {x[2 * t], x[2 * t + 1]};
  const Complex<V>* z = transform(workspace, workspace + half);
  y[0] = {z[0].re + z[0].im, V{}};
  y[half] = {z[0].re - z[0].im, V{}};
  for (int64_t k = 1; k < half; ++k) {
    const Complex<V> mirrored{z[half - k].re, -z[half - k].im};
    const Complex<V> even = times(0.5F, z[k] + mirrored);
    const Complex<V> odd = times_minus_i(times(0.5F, z[k] - mirrored));
    y[k] = even + real_twiddles_[static_cast<std::size_t>(k)] * odd;
  }
}

template void RealFft::forward(const float*, Complex<float>*, Complex<float>*) const;
template void RealFft::forward(const Lanes*, Complex<Lanes>*, Complex<Lanes>*) const;

std::shared_ptr<const RealFft> real_fft(int64_t n) {
  static std::mutex mutex;
  static std::map<int64_t, std::shared_ptr<const RealFft>> plans;
  const std::lock_guard lock(mutex);
  std::shared_ptr<const RealFft>& plan = plans[n];
  if (!plan) plan = std::make_shared<const RealFft>(n);
  return plan;
}

Cost real_fft_cost(int64_t n) {
  const double size = static_cast<double>(n);
  return {static_cast<int64_t>(2.5 * size * std::log2(size)), 4 * n + 8 * (n / 2 + 1)};
}

}  // namespace melgrad
