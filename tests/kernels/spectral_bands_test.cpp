// Spectral bands on every instruction set that this machine has, against their formulas in f64.
#include "kernels/spectral_bands.h"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <numbers>

#include "kernels/error.h"
#include "kernels/philox.h"
#include "kernels/simd.h"

namespace melgrad {
namespace {

// body() with each instruction set.
template <class Body>
void for_each_simd(const Body& body) {
  for (const std::string& name : simd_names()) {
    CAPTURE(name);
    use_simd(name);
    body();
  }
  use_simd("");
}

std::vector<float> random_values(int64_t n, uint32_t stream) {
  Generator random(5, Draw::test, stream);
  std::vector<float> x(static_cast<std::size_t>(n));
  for (float& value : x) value = static_cast<float>(random.normal());
  return x;
}

// |X|² of n samples, by the definition.
std::vector<double> exact_powers(const float* x, const std::vector<float>& window) {
  const auto n = static_cast<int64_t>(window.size());
  std::vector<std::complex<double>> roots;
  for (int64_t k = 0; k < n; ++k)
    roots.push_back(std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n)));
  std::vector<double> powers;
  for (int64_t k = 0; k <= n / 2; ++k) {
    std::complex<double> sum = 0;
    for (int64_t t = 0; t < n; ++t)
      sum += static_cast<double>(x[t]) * static_cast<double>(window[static_cast<std::size_t>(t)]) *
             roots[static_cast<std::size_t>(k * t % n)];
    powers.push_back(std::norm(sum));
  }
  return powers;
}

// The norm of the difference over the norm; NaN in `y` gives NaN.
double relative_error(const float* y, const std::vector<double>& exact) {
  double error = 0, norm = 0;
  for (const double expected : exact) {
    error += std::pow(static_cast<double>(*y++) - expected, 2);
    norm += expected * expected;
  }
  return std::sqrt(error / norm);
}

struct Run {
  std::vector<float> values;
  BandRange range;
};

Run run(const SpectralBands& plan, std::span<const float> x, int64_t first, int64_t last, int threads = 1,
        const BandLogarithm* logarithm = nullptr) {
  ThreadPool pool(threads);
  Run result{std::vector<float>(static_cast<std::size_t>((last - first) * plan.bands()), NAN), {}};
  result.range =
      plan.compute(pool, {x, 0, static_cast<int64_t>(x.size())}, first, last, logarithm, result.values.data());
  return result;
}

TEST_CASE("spectral bands: power spectra of many sizes against a DFT in f64, on every instruction set") {
  std::vector<int64_t> sizes{256, 400,  441,  480,  500,  512,  600,  625, 640,
                             882, 1000, 1024, 1200, 1458, 1920, 2048, 4096};
  for (int64_t n = 1; n <= 72; ++n) sizes.push_back(n);
  double worst = 0;
  for (const int64_t n : sizes) {
    CAPTURE(n);
    const int64_t hop = std::max<int64_t>(1, n / 3), frames = n > 1000 ? 2 : 3;
    const std::vector<float> x = random_values((frames - 1) * hop + n, static_cast<uint32_t>(n));
    const std::vector<float> window = random_values(n, 77);
    std::vector<std::vector<double>> exact;
    for (int64_t t = 0; t < frames; ++t) exact.push_back(exact_powers(x.data() + t * hop, window));
    for_each_simd([&] {
      SpectralBandsOptions options;
      options.window = window;
      options.hop = hop;
      const SpectralBands plan(options);
      const Run got = run(plan, x, 0, frames);
      for (int64_t t = 0; t < frames; ++t) {
        const double error = relative_error(got.values.data() + t * plan.bands(), exact[static_cast<std::size_t>(t)]);
        CHECK(error <= 1e-6);
        worst = std::max(worst, error);
      }
    });
  }
  MESSAGE("largest relative error of the power: " << worst);
}

TEST_CASE("spectral bands: which sizes are fast") {
  for (const int64_t n : {8, 12, 512, 2048, 8192, 65536, 400, 480, 1200, 1458, 2500})
    CHECK(SpectralBands::has_fast_size(n));
  for (const int64_t n : {2, 4, 6, 10, 14, 882, 441, 625, 1018}) CHECK_FALSE(SpectralBands::has_fast_size(n));
}

TEST_CASE("spectral bands: large sizes, long and short hops") {
  for (const auto& [n, hop] :
       {std::pair<int64_t, int64_t>{8192, 8820}, {8192, 1000}, {512, 1}, {96, 500}, {20000, 5000}}) {
    CAPTURE(n);
    CAPTURE(hop);
    const std::vector<float> x = random_values(17 * hop + n, 3);
    std::vector<float> window = random_values(n, 78);
    const std::vector<double> exact = exact_powers(x.data() + 17 * hop, window);
    for_each_simd([&] {
      SpectralBandsOptions options;
      options.window = window;
      options.hop = hop;
      const SpectralBands plan(options);
      CHECK(relative_error(run(plan, x, 17, 18).values.data(), exact) <= 1e-6);
      CHECK(relative_error(run(plan, x, 0, 18).values.data() + 17 * plan.bands(), exact) <= 1e-6);
    });
  }
}

// Overlapping filters of any width, one empty.
FilterBank odd_filters(int64_t bins) {
  std::vector<float> weights(static_cast<std::size_t>(5 * bins));
  for (int64_t k = 0; k < bins; ++k) {
    weights[static_cast<std::size_t>(k)] = 1;
    if (k > 3 && k < 11) weights[static_cast<std::size_t>(bins + k)] = 0.5F;
    if (k > 5 && k < 40) weights[static_cast<std::size_t>(2 * bins + k)] = 0.01F * static_cast<float>(k);
    if (k == bins - 1) weights[static_cast<std::size_t>(4 * bins + k)] = 2;
  }
  return FilterBank(weights, 5, bins);
}

TEST_CASE("spectral bands: powers, filters, exponents, logarithm and range by their formulas") {
  constexpr int64_t n = 96, hop = 40, frames = 19;
  const std::vector<float> x = random_values((frames - 1) * hop + n, 4);
  const std::vector<float> window = random_values(n, 79);
  const FilterBank filters = odd_filters(n / 2 + 1);
  const BandLogarithm logarithm{.gain = 3, .offset = 1, .floor = 1, .factor = 2, .shift = -5};
  for (const double power : {2.0, 1.0, 0.7})
    for (const double exponent : {1.0, 2.0, 0.5, 0.33})
      for_each_simd([&] {
        CAPTURE(power);
        CAPTURE(exponent);
        SpectralBandsOptions options{
            .window = window, .hop = hop, .power = power, .filters = filters, .exponent = exponent};
        const SpectralBands plan(options);
        const Run linear = run(plan, x, 0, frames), got = run(plan, x, 0, frames, 1, &logarithm);
        double lowest = INFINITY, highest = -INFINITY;
        for (int64_t t = 0; t < frames; ++t) {
          const std::vector<double> powers = exact_powers(x.data() + t * hop, window);
          for (int64_t f = 0; f < 5; ++f) {
            double sum = 0;
            for (std::size_t i = 0; i < filters.weights(f).size(); ++i)
              sum += static_cast<double>(filters.weights(f)[i]) *
                     std::pow(powers[static_cast<std::size_t>(filters.first_bin(f)) + i], power / 2);
            const double band = std::pow(sum, exponent);
            const auto at = static_cast<std::size_t>(t * 5 + f);
            CHECK(linear.values[at] == doctest::Approx(band).epsilon(1e-5));
            CHECK(got.values[at] == doctest::Approx(2 * std::log(1 + 3 * band) - 5).epsilon(1e-5));
            lowest = std::min(lowest, band);
            highest = std::max(highest, band);
          }
        }
        CHECK(got.range.lowest == doctest::Approx(lowest));
        CHECK(got.range.highest == doctest::Approx(highest));
        CHECK(got.range.finite);
        CHECK(linear.range.highest == got.range.highest);
        std::vector<float> later = linear.values;
        apply_logarithm(logarithm, later);
        CHECK(later == got.values);
      });
}

TEST_CASE("spectral bands: a frame's bits depend neither on threads nor on where a call begins or the part at hand") {
  for (const int64_t n : {512, 250, 77, 8192}) {
    CAPTURE(n);
    const int64_t hop = n / 4 + 3, frames = n > 1000 ? 30 : 150, padding = n / 2;
    const std::vector<float> x = random_values((frames - 1) * hop + n - 2 * padding, 6);
    const auto length = static_cast<int64_t>(x.size());
    for (const Extension extension : {Extension::zero, Extension::reflect})
      for_each_simd([&] {
        SpectralBandsOptions options{
            .window = random_values(n, 80), .hop = hop, .padding = padding, .extension = extension};
        const SpectralBands plan(options);
        const Run whole = run(plan, x, 0, frames);
        CHECK(run(plan, x, 0, frames, 3).values == whole.values);
        ThreadPool pool(1);
        for (int64_t first = 0, step = 1; first < frames; first += step, step = step % 7 + 1) {
          const int64_t last = std::min(first + step, frames);
          const int64_t from = std::clamp<int64_t>(first * hop - padding, 0, std::max<int64_t>(0, length - n));
          const int64_t to = std::clamp<int64_t>((last - 1) * hop - padding + n, std::min(n, length), length);
          std::vector<float> part(static_cast<std::size_t>((last - first) * plan.bands()), NAN);
          const std::span<const float> held =
              std::span(x).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
          plan.compute(pool, {held, from, length}, first, last, nullptr, part.data());
          CHECK(std::equal(part.begin(), part.end(), whole.values.begin() + first * plan.bands()));
        }
      });
  }
}

TEST_CASE("spectral bands: the logarithm of every mantissa, and of the smallest and largest numbers") {
  constexpr double bound = 1.2e-7;
  for_each_simd([&] {
    double worst = 0, worst_small = 0;
    std::vector<float> x, y;
    for (const int exponent : {-126, -33, -1, 0, 1, 40, 127})
      for (uint32_t mantissa = 0; mantissa < (1U << 23); mantissa += exponent == 0 || exponent == -1 ? 1 : 97) {
        const uint32_t bits = static_cast<uint32_t>(exponent + 127) << 23 | mantissa;
        float value;
        std::memcpy(&value, &bits, sizeof value);
        x.push_back(value);
      }
    y = x;
    apply_logarithm({.floor = 1.17549435e-38F}, y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = std::log(static_cast<double>(x[i]));
      const double error = std::abs(static_cast<double>(y[i]) - exact) / (1 + std::abs(exact));
      worst = error <= worst ? worst : error;
    }
    CHECK(worst <= bound);
    y = x;
    apply_logarithm({.offset = 1}, y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = std::log1p(static_cast<double>(x[i]));
      const double error = std::abs(static_cast<double>(y[i]) - exact) / exact;
      worst_small = error <= worst_small ? worst_small : error;
    }
    CHECK(worst_small <= 2 * bound);
    MESSAGE(simd_name() << ": ln " << worst << ", log1p relative " << worst_small);
  });
  std::vector<float> floored{0, -1, 1e-20F};
  apply_logarithm({.floor = 1e-10F}, floored);
  for (const float value : floored) CHECK(value == doctest::Approx(std::log(1e-10)));
}

TEST_CASE("spectral bands: what is not finite shows, but not outside the frames asked for") {
  for_each_simd([&] {
    const SpectralBands plan(SpectralBandsOptions{.window = std::vector<float>(64, 1.0F), .hop = 64});
    for (const float bad : {NAN, INFINITY, 1e30F}) {
      std::vector<float> x = random_values(64 * 20, 8);
      x[64 * 17 + 5] = bad;
      CHECK(run(plan, x, 0, 17).range.finite);
      CHECK_FALSE(run(plan, x, 0, 18).range.finite);
      CHECK_FALSE(run(plan, x, 17, 18).range.finite);
      CHECK(run(plan, x, 18, 20).range.finite);
    }
  });
}

TEST_CASE("spectral bands: refusals and cost") {
  CHECK_THROWS_AS(SpectralBands({}), Error);
  CHECK_THROWS_AS(SpectralBands({.window = {1, 1}}), Error);
  CHECK_THROWS_AS(SpectralBands({.window = {1, 1}, .hop = 1, .padding = -1}), Error);
  CHECK_THROWS_AS(SpectralBands({.window = {1, 1}, .hop = 1, .filters = odd_filters(49)}), Error);
  const SpectralBands plan(SpectralBandsOptions{.window = std::vector<float>(64, 1.0F), .hop = 32, .padding = 32});
  const std::vector<float> x(640);
  ThreadPool pool(1);
  std::vector<float> y(33);
  CHECK_THROWS_AS(plan.compute(pool, {x, 100, 10'000}, 1, 2, nullptr, y.data()), Error);
  CHECK(plan.cost(10) == Cost{10 * (64 + 960 + 3 * 33 + 20 * 33), 10 * 4 * (32 + 33)});
  CHECK_THROWS_AS(use_simd("AVX9"), Error);
}

}  // namespace
}  // namespace melgrad
