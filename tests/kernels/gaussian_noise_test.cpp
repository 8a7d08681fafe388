#include "kernels/gaussian_noise.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/reference/gaussian_noise.h"
#include "tests/kernels/operation_check.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

const Philox noise{7, Draw::noise, 3, 5};

TEST_CASE("gaussian_noise agrees with the reference") {
  for (int64_t n : {0, 1, 3, 6, 8, 31, 257, 5001}) {
    OperationCase operation;
    operation.name = fmt::format("gaussian_noise n={}", n);
    operation.inputs = {{Shape{n}}};
    operation.outputs = {{Shape{n}}};
    operation.run = [](Stream& s, Inputs in, Outputs out) { gaussian_noise(s, 0.5, noise, in[0], out[0]); };
    operation.reference = [](Inputs in, Outputs out) { reference::gaussian_noise<double>(0.5, noise, in[0], out[0]); };
    // Angle and radius are rounded: an error of 2π and of 6 units.
    operation.magnitude = [=](Inputs, Outputs out) { std::fill_n(out[0].as<double>(), n, 32.0); };
    test::check(operation);
  }
}

// u = 0.75 gives the radius √(-2 ln 0.25), v = 1/8 and 5/8 the angles 45° and 225°.
TEST_CASE("pairs of normal numbers are Box and Muller's") {
  const double side = std::sqrt(-2 * std::log(0.25) / 2);
  const NormalPair<double> up = normal_pair<double>(0xC0000000u, 0x20000000u);
  CHECK(up.first == doctest::Approx(side).epsilon(1e-12));
  CHECK(up.second == doctest::Approx(side).epsilon(1e-12));
  const NormalPair<double> left = normal_pair<double>(0xC0000000u, 0x60000000u);  // 135°
  CHECK(left.first == doctest::Approx(-side).epsilon(1e-12));
  CHECK(left.second == doctest::Approx(side).epsilon(1e-12));
}

TEST_CASE("gaussian_noise: mean, variance, kurtosis, and neighbours are independent") {
  constexpr int64_t n = 200'000;
  std::vector<float> z(n, 0.0f);
  Stream stream(Device::cpu);
  gaussian_noise(stream, 2, noise, {z.data(), Shape{n}}, {z.data(), Shape{n}});
  double sums[5] = {}, products = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double value = z[static_cast<std::size_t>(i)] / 2;
    for (int power = 1; power <= 4; ++power) sums[power] += std::pow(value, power) / n;
    if (i > 0) products += value * z[static_cast<std::size_t>(i - 1)] / 2 / n;
  }
  // Five standard errors of each.
  CHECK(std::abs(sums[1]) < 5 / std::sqrt(n));
  CHECK(std::abs(sums[2] - 1) < 5 * std::sqrt(2.0 / n));
  CHECK(std::abs(sums[3]) < 5 * std::sqrt(15.0 / n));
  CHECK(std::abs(sums[4] - 3) < 5 * std::sqrt(96.0 / n));
  CHECK(std::abs(products) < 5 / std::sqrt(n));
  CHECK_THROWS_AS(gaussian_noise(stream, -1, noise, {z.data(), Shape{n}}, {z.data(), Shape{n}}), Error);
  CHECK(gaussian_noise_cost(10, 4).bytes == 80);
}

}  // namespace
}  // namespace melgrad
