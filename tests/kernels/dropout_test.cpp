#include "kernels/dropout.h"

#include <doctest/doctest.h>

#include <type_traits>
#include <vector>

#include "kernels/memory.h"
#include "kernels/reference/dropout.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

constexpr Philox draws{42, Draw::dropout, 3, 17};

TEST_CASE("dropout agrees with the reference") {
  for (double rate : {0.0, 0.3, 0.5, 0.999}) {
    for (int64_t n : {0, 1, 3, 4, 5, 31, 257, 70'001}) {
      OperationCase operation;
      operation.name = fmt::format("dropout rate={} n={}", rate, n);
      operation.inputs = {{Shape{n}}};
      operation.outputs = {{Shape{n}}};
      operation.run = [=](Stream& stream, Inputs in, Outputs out) { dropout(stream, rate, draws, in[0], out[0]); };
      operation.reference = [=](Inputs in, Outputs out) { reference::dropout<double>(rate, draws, in[0], out[0]); };
      operation.exact_on_integers = rate == 0.0 || rate == 0.5;
      test::check(operation);
    }
  }
}

// From the second element on, no four are aligned as a vector of four is.
TEST_CASE("dropout of a part of an array agrees with the reference") {
  const auto rest = []<class V>(V view) {
    using Bytes = std::conditional_t<std::is_same_v<V, View>, char*, const char*>;
    view.data = static_cast<Bytes>(view.data) + size_of(view.dtype);
    view.shape = Shape{view.numel() - 1};
    return view;
  };
  for (int64_t n : {2, 5, 9, 258}) {
    OperationCase operation;
    operation.name = fmt::format("dropout n={} but the first", n);
    operation.inputs = {{Shape{n}}};
    operation.outputs = {{Shape{n}}};
    operation.run = [=](Stream& stream, Inputs in, Outputs out) {
      fill(out[0], 0);
      dropout(stream, 0.5, draws, rest(in[0]), rest(out[0]));
    };
    operation.reference = [=](Inputs in, Outputs out) {
      fill(out[0], 0);
      reference::dropout<double>(0.5, draws, rest(in[0]), rest(out[0]));
    };
    operation.exact_on_integers = true;
    test::check(operation);
  }
}

TEST_CASE("dropout keeps element i where random number i is at least the rate") {
  constexpr int64_t n = 100'003;
  const std::vector<float> x(n, 1.0f);
  Stream stream(Device::cpu);
  // 0.5 and 0.25 are numbers that the generator can hit.
  for (double rate : {0.0, 0.25, 0.3, 0.5, 0.9}) {
    std::vector<float> y(n);
    dropout(stream, rate, draws, {x.data(), Shape{n}}, {y.data(), Shape{n}});
    const auto scale = static_cast<float>(1 / (1 - rate));
    int64_t wrong = 0, kept = 0;
    for (int64_t i = 0; i < n; ++i) {
      const bool keeps = double{draws.uniform(static_cast<uint64_t>(i))} >= rate;
      wrong += y[i] != (keeps ? scale : 0.0f);
      kept += keeps;
    }
    CHECK(wrong == 0);
    // Five standard deviations of a binomial.
    CHECK(std::abs(static_cast<double>(kept) - n * (1 - rate)) <= 5 * std::sqrt(n * rate * (1 - rate)));
  }
  CHECK(dropout_keeps(0x80000000u, dropout_threshold(0.5)));
  CHECK(!dropout_keeps(0x7fffffffu, dropout_threshold(0.5)));
  // 0.3 · 2^24 = 5033164.8
  CHECK(dropout_keeps(5033165u << 8, dropout_threshold(0.3)));
  CHECK(!dropout_keeps(5033164u << 8, dropout_threshold(0.3)));
}

TEST_CASE("dropout in place, of NaN, and its gradient") {
  std::vector<float> x(1000, NAN), y(1000);
  Stream stream(Device::cpu);
  dropout(stream, 0.5, draws, {x.data(), Shape{1000}}, {y.data(), Shape{1000}});
  dropout(stream, 0.5, draws, {x.data(), Shape{1000}}, {x.data(), Shape{1000}});
  int64_t nans = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    CHECK(std::isnan(x[i]) == std::isnan(y[i]));
    nans += std::isnan(x[i]);
    if (!std::isnan(x[i])) CHECK(x[i] == 0.0f);
  }
  CHECK(nans > 400);
  // Each element is met once, also where a batch of random numbers ends.
  for (int64_t n : {255, 256, 257, 300, 512}) {
    std::vector<float> in(static_cast<std::size_t>(n), 1.0f), out(in);
    dropout(stream, 0.5, draws, {in.data(), Shape{n}}, {out.data(), Shape{n}});
    dropout(stream, 0.5, draws, {in.data(), Shape{n}}, {in.data(), Shape{n}});
    CHECK(in == out);
  }

  test::GradientCase gradient;
  gradient.name = "dropout";
  gradient.proves = {"dropout"};
  gradient.inputs = {{Shape{7, 3}}};
  gradient.outputs = {{Shape{7, 3}}};
  gradient.forward = [](Stream& on, Inputs in, Outputs out) { dropout(on, 0.3, draws, in[0], out[0]); };
  gradient.backward = [](Stream& on, Inputs, Outputs, ConstView dy, Outputs dx) { dropout(on, 0.3, draws, dy, dx[0]); };
  test::check_gradient(gradient);
}

TEST_CASE("dropout: errors and cost") {
  float x[4] = {}, y[4];
  Stream stream(Device::cpu);
  CHECK_THROWS_WITH_AS(dropout(stream, 1.0, draws, {x, Shape{4}}, {y, Shape{4}}),
                       "dropout: rate is 1, expected 0 <= rate < 1", Error);
  CHECK_THROWS_AS(dropout(stream, -0.1, draws, {x, Shape{4}}, {y, Shape{4}}), Error);
  CHECK_THROWS_AS(dropout(stream, NAN, draws, {x, Shape{4}}, {y, Shape{4}}), Error);
  CHECK_THROWS_WITH_AS(dropout(stream, 0.5, draws, {x, Shape{4}}, {y, Shape{3}}), "dropout: y is (3), expected (4)",
                       Error);
  CHECK(dropout_cost(10, 4) == Cost{10, 80});
}

}  // namespace
}  // namespace melgrad
