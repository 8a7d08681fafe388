#include "kernels/reduce.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/reference/reduce.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

const Reduction all_reductions[] = {Reduction::sum, Reduction::mean, Reduction::max};

const Shape awkward_shapes[] = {{},        {1},          {7},          {70'001},          {0},          {0, 3},
                                {3, 0, 2}, {3, 5},       {33, 257},    {1031, 3},         {3, 1, 2049}, {257, 2, 1},
                                {64, 300}, {2, 4111, 3}, {5, 7, 3, 2}, {3, 2, 1, 4, 3, 5}};

OperationCase reduce_case(Reduction reduction, const Shape& x, const Shape& y) {
  OperationCase operation;
  operation.name = fmt::format("reduce {} {} to {}", name_of(reduction), x.to_string(), y.to_string());
  operation.inputs = {{x}};
  operation.outputs = {{y}};
  operation.run = [=](Stream& stream, Inputs in, Outputs out) { reduce(stream, reduction, in[0], out[0]); };
  operation.reference = [=](Inputs in, Outputs out) { reference::reduce<double>(reduction, in[0], out[0]); };
  operation.exact_on_integers = reduction != Reduction::mean;
  operation.reduction_length = x.numel() / std::max<int64_t>(1, y.numel());
  return operation;
}

TEST_CASE("reduce agrees with the reference over any axes") {
  for (Reduction reduction : all_reductions) {
    for (const Shape& x : awkward_shapes) {
      for (int axes = 0; axes < 1 << x.rank(); ++axes) {
        Shape y;
        for (int64_t axis = 0; axis < x.rank(); ++axis) y.append(axes >> axis & 1 ? 1 : x[axis]);
        if (reduction != Reduction::sum && x.numel() == 0 && y.numel() != 0) continue;
        test::check(reduce_case(reduction, x, y));
      }
    }
  }
}

TEST_CASE("reduce over axes around one that stays, each block in several chunks") {
  for (Reduction reduction : all_reductions) test::check(reduce_case(reduction, {4, 2, 20'011}, {1, 2, 1}));
}

// Integers in -4 … 4 are full of ties, normal numbers have none.
TEST_CASE("reduce_max_backward agrees with the reference over any axes") {
  for (const Shape& x : awkward_shapes) {
    for (int axes = 0; axes < 1 << x.rank(); ++axes) {
      Shape y;
      for (int64_t axis = 0; axis < x.rank(); ++axis) y.append(axes >> axis & 1 ? 1 : x[axis]);
      if (x.numel() == 0) continue;
      OperationCase operation = reduce_case(Reduction::max, x, y);
      operation.name = fmt::format("reduce_max_backward {} to {}", x.to_string(), y.to_string());
      operation.inputs = {{x}, {y}};
      operation.outputs = {{y}, {x}};
      operation.run = [](Stream& stream, Inputs in, Outputs out) {
        reduce(stream, Reduction::max, in[0], out[0]);
        reduce_max_backward(stream, in[0], out[0], in[1], out[1]);
      };
      operation.reference = [](Inputs in, Outputs out) {
        reference::reduce<double>(Reduction::max, in[0], out[0]);
        reference::reduce_max_backward<double>(in[0], out[0], in[1], out[1]);
      };
      operation.magnitude = [](Inputs in, Outputs out) {  // it selects: nothing is rounded
        std::fill_n(out[0].as<double>(), out[0].numel(), 0.0);
        std::fill_n(out[1].as<double>(), in[0].numel(), 0.0);
      };
      test::check(operation);
    }
  }
}

TEST_CASE("reduce_max_backward: gradient") {
  test::GradientCase gradient;
  gradient.name = "the maximum";
  gradient.proves = {"reduce_max_backward"};
  gradient.inputs = {{Shape{3, 5, 4}}};
  gradient.outputs = {{Shape{3, 1, 4}}};
  gradient.forward = [](Stream& s, Inputs in, Outputs out) { reduce(s, Reduction::max, in[0], out[0]); };
  gradient.backward = [](Stream& s, Inputs in, Outputs out, ConstView dy, Outputs dx) {
    reduce_max_backward(s, in[0], out[0], dy, dx[0]);
  };
  test::check_gradient(gradient);
}

TEST_CASE("reduce_max_backward by hand: the first of equals, and a NaN where the maximum is one") {
  const float x[] = {1, 3, 3, 2, NAN, 9}, dy[] = {5, 7};
  float y[2], dx[6];
  Stream stream(Device::cpu);
  reduce(stream, Reduction::max, {x, Shape{2, 3}}, {y, Shape{2, 1}});
  reduce_max_backward(stream, {x, Shape{2, 3}}, {y, Shape{2, 1}}, {dy, Shape{2, 1}}, {dx, Shape{2, 3}});
  const float expected[] = {0, 5, 0, 0, 7, 0};
  for (int i = 0; i < 6; ++i) CHECK(dx[i] == expected[i]);
  const double of_x[] = {1, 3, 3, 2, NAN, NAN}, of_dy[] = {5, 7};
  double of_y[2], of_dx[6];
  reduce(stream, Reduction::max, {of_x, Shape{2, 3}, DType::f64}, {of_y, Shape{2, 1}, DType::f64});
  reduce_max_backward(stream, {of_x, Shape{2, 3}, DType::f64}, {of_y, Shape{2, 1}, DType::f64},
                      {of_dy, Shape{2, 1}, DType::f64}, {of_dx, Shape{2, 3}, DType::f64});
  for (int i = 0; i < 6; ++i) CHECK(of_dx[i] == expected[i]);
}

TEST_CASE("reduce: long sums keep their digits") {
  // One running f32 sum of these would be off by 1e-3 and more.
  constexpr int64_t n = 3'000'001;
  const std::vector<float> x(n, 0.1f);
  Stream stream(Device::cpu);
  float sum = 0;
  reduce(stream, Reduction::sum, {x.data(), Shape{n}}, {&sum, Shape{1}});
  CHECK(std::abs(sum / (double{0.1f} * n) - 1) < 1e-5);
  std::vector<float> sums(2);
  reduce(stream, Reduction::sum, {x.data(), Shape{n / 2, 2}}, {sums.data(), Shape{1, 2}});
  CHECK(std::abs(sums[1] / (double{0.1f} * (n / 2)) - 1) < 1e-5);
  reduce(stream, Reduction::mean, {x.data(), Shape{1, n}}, {&sum, Shape{1, 1}});
  CHECK(std::abs(sum / double{0.1f} - 1) < 1e-5);
}

TEST_CASE("reduce by hand") {
  const float x[2][3] = {{1, 2, -3}, {4, 0, 6}};
  float columns[3], rows[2];
  Stream stream(Device::cpu);
  reduce(stream, Reduction::sum, {x, Shape{2, 3}}, {columns, Shape{1, 3}});
  CHECK(columns[0] == 5);
  CHECK(columns[2] == 3);
  reduce(stream, Reduction::max, {x, Shape{2, 3}}, {rows, Shape{2, 1}});
  CHECK(rows[0] == 2);
  CHECK(rows[1] == 6);
  reduce(stream, Reduction::mean, {x, Shape{2, 3}}, {rows, Shape{2, 1}});
  CHECK(rows[0] == 0);
  CHECK(rows[1] == static_cast<float>(10.0 / 3));
}

TEST_CASE("reduce: a NaN shows wherever it stands; the maximum of nothing but -inf is -inf") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  Stream stream(Device::cpu);
  for (Reduction reduction : all_reductions) {
    for (int64_t position = 0; position < 37; ++position) {
      std::vector<float> x(37, -1.0f);
      x[position] = NAN;
      float y = 0;
      reduce(stream, reduction, {x.data(), Shape{37}}, {&y, Shape{1}});
      CHECK(std::isnan(y));
      reduce(stream, reduction, {x.data(), Shape{37, 1, 1}}, {&y, Shape{1, 1, 1}});
      CHECK(std::isnan(y));
      std::vector<float> pairs(2 * 37, -1.0f);
      pairs[2 * position] = NAN;
      float both[2];
      reduce(stream, reduction, {pairs.data(), Shape{37, 2}}, {both, Shape{1, 2}});
      CHECK(std::isnan(both[0]));
      CHECK(!std::isnan(both[1]));
    }
  }
  const std::vector<float> x(37, -infinity);
  float y = 0;
  reduce(stream, Reduction::max, {x.data(), Shape{37}}, {&y, Shape{1}});
  CHECK(y == -infinity);
}

TEST_CASE("reduce: errors and cost") {
  float x[6] = {}, y[6];
  Stream stream(Device::cpu);
  CHECK_THROWS_WITH_AS(reduce(stream, Reduction::sum, {x, Shape{2, 3}}, {y, Shape{2}}),
                       "reduce: y is (2), expected x's (2, 3) with 1 where an axis is reduced", Error);
  CHECK_THROWS_AS(reduce(stream, Reduction::sum, {x, Shape{2, 3}}, {y, Shape{2, 2}}), Error);
  CHECK_THROWS_WITH_AS(reduce(stream, Reduction::max, {x, Shape{0, 3}}, {y, Shape{1, 3}}),
                       "reduce: max of no elements, x is (0, 3)", Error);
  CHECK_THROWS_AS(reduce(stream, Reduction::mean, {x, Shape{3, 0}}, {y, Shape{3, 1}}), Error);
  CHECK(reduce_cost(100, 4, 4) == Cost{100, 416});
}

}  // namespace
}  // namespace melgrad
