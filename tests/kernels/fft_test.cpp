// The FFT, the filter bank and the DCT against plain sums in f64.
#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "kernels/dct.h"
#include "kernels/error.h"
#include "kernels/fft.h"
#include "kernels/filter_bank.h"
#include "kernels/philox.h"

namespace melgrad {
namespace {

using Spectrum = std::vector<std::complex<double>>;

std::vector<float> random_signal(int64_t n, uint32_t stream) {
  Generator random(11, Draw::test, stream);
  std::vector<float> x(static_cast<std::size_t>(n));
  for (float& value : x) value = static_cast<float>(random.normal());
  return x;
}

Spectrum exact_spectrum(const std::vector<float>& x) {
  const auto n = static_cast<int64_t>(x.size());
  Spectrum roots;
  for (int64_t k = 0; k < n; ++k)
    roots.push_back(std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n)));
  Spectrum y;
  for (int64_t k = 0; k <= n / 2; ++k) {
    std::complex<double> sum = 0;
    for (int64_t t = 0; t < n; ++t)
      sum += static_cast<double>(x[static_cast<std::size_t>(t)]) * roots[static_cast<std::size_t>(k * t % n)];
    y.push_back(sum);
  }
  return y;
}

std::vector<Complex<float>> fft(const std::vector<float>& x) {
  const auto plan = real_fft(static_cast<int64_t>(x.size()));
  std::vector<Complex<float>> y(static_cast<std::size_t>(plan->bins()), {NAN, NAN});
  std::vector<Complex<float>> workspace(static_cast<std::size_t>(plan->workspace_size()), {NAN, NAN});
  plan->forward(x.data(), y.data(), workspace.data());
  return y;
}

// The norm of the difference over the norm; NaN in `y` gives NaN.
double relative_error(const std::vector<Complex<float>>& y, const Spectrum& exact) {
  double error = 0, norm = 0;
  for (std::size_t k = 0; k < exact.size(); ++k) {
    error += std::norm(std::complex<double>(y[k].re, y[k].im) - exact[k]);
    norm += std::norm(exact[k]);
  }
  return std::sqrt(error / norm);
}

TEST_CASE("real FFT of every size up to 130, and of those that frontends use") {
  std::vector<int64_t> sizes{256, 400,  441,  480,  500,  509,  512,  600,  625,      640,  729,
                             882, 1000, 1024, 1009, 1764, 2018, 2048, 2187, 2 * 1009, 4096, 8192};
  for (int64_t n = 1; n <= 130; ++n) sizes.push_back(n);
  double worst = 0;
  for (int64_t n : sizes) {
    CAPTURE(n);
    const std::vector<float> x = random_signal(n, static_cast<uint32_t>(n));
    const double error = relative_error(fft(x), exact_spectrum(x));
    CHECK(error <= 1e-6);
    worst = std::max(worst, error);
  }
  MESSAGE("largest relative error: " << worst);
}

TEST_CASE("real FFT: four lanes give the bits that each signal gives alone") {
  for (int64_t n : {1, 2, 15, 77, 512, 2048}) {
    const auto plan = real_fft(n);
    std::vector<Lanes> x(static_cast<std::size_t>(n));
    std::vector<std::vector<float>> alone;
    for (int64_t lane = 0; lane < lane_count; ++lane) {
      alone.push_back(random_signal(n, static_cast<uint32_t>(lane)));
      for (std::size_t t = 0; t < x.size(); ++t) x[t][lane] = alone.back()[t];
    }
    std::vector<Complex<Lanes>> y(static_cast<std::size_t>(plan->bins()));
    std::vector<Complex<Lanes>> workspace(static_cast<std::size_t>(plan->workspace_size()));
    plan->forward(x.data(), y.data(), workspace.data());
    for (int64_t lane = 0; lane < lane_count; ++lane) {
      const auto expected = fft(alone[static_cast<std::size_t>(lane)]);
      for (std::size_t k = 0; k < y.size(); ++k) {
        CHECK(y[k].re[lane] == expected[k].re);
        CHECK(y[k].im[lane] == expected[k].im);
      }
    }
  }
}

TEST_CASE("real FFT: plans are shared, sizes checked, cost stated") {
  CHECK(real_fft(48) == real_fft(48));
  CHECK(real_fft(48)->bins() == 25);
  CHECK_THROWS_AS(real_fft(0), Error);
  CHECK_THROWS_AS(real_fft(-4), Error);
  CHECK(real_fft_cost(1024) == Cost{25600, 4 * 1024 + 8 * 513});
}

TEST_CASE("filter bank keeps each filter's part between its first and last weight") {
  const std::vector<float> weights{0, 1, 2, 0, 0,  //
                                   0, 0, 0, 0, 0,  //
                                   3, 0, 0, 0, 4};
  const FilterBank bank(weights, 3, 5);
  const std::vector<float> x{1, 10, 100, 1000, 10000};
  std::vector<float> y(3, NAN);
  bank.apply(x.data(), y.data());
  CHECK(y == std::vector<float>{210, 0, 40003});
  CHECK(bank.cost() == Cost{2 * 7, 4 * (5 + 3 + 7)});
  CHECK_THROWS_AS(FilterBank(weights, 3, 4), Error);
}

TEST_CASE("DCT-II against its sum in f64") {
  for (auto [n, coefficients] : {std::pair<int64_t, int64_t>{1, 1}, {2, 2}, {7, 3}, {40, 40}, {128, 13}}) {
    const std::vector<float> x = random_signal(n, static_cast<uint32_t>(n));
    std::vector<float> y(static_cast<std::size_t>(coefficients), NAN);
    Dct(n, coefficients).apply(x, y);
    for (int64_t c = 0; c < coefficients; ++c) {
      double sum = 0;
      for (int64_t t = 0; t < n; ++t) {
        const double angle = std::numbers::pi * static_cast<double>(c * (2 * t + 1)) / static_cast<double>(2 * n);
        sum += static_cast<double>(x[static_cast<std::size_t>(t)]) * std::cos(angle);
      }
      sum *= std::sqrt((c == 0 ? 1.0 : 2.0) / static_cast<double>(n));
      CHECK(std::abs(static_cast<double>(y[static_cast<std::size_t>(c)]) - sum) <= 1e-5);
    }
  }
  CHECK_THROWS_AS(Dct(4, 5), Error);
  std::vector<float> three(3), two(2);
  CHECK_THROWS_AS(Dct(4, 2).apply(three, two), Error);
}

}  // namespace
}  // namespace melgrad
