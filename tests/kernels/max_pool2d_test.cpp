#include "kernels/max_pool2d.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/memory.h"
#include "kernels/reference/max_pool2d.h"
#include "tests/kernels/device_array.h"
#include "tests/kernels/gradient_check.h"
#include "tests/kernels/pool_problems.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;
using test::pool_problems;

TEST_CASE("max_pool2d agrees with the reference") {
  for (const Pool2dProblem& problem : pool_problems()) {
    OperationCase forward;
    forward.name = "max_pool2d_forward" + test::describe(problem);
    forward.inputs = {{problem.x_shape()}};
    forward.outputs = {{problem.y_shape()}, {problem.y_shape(), DType::i32}};
    forward.run = [=](Stream& stream, Inputs in, Outputs out) {
      max_pool2d_forward(stream, problem, in[0], out[0], out[1]);
    };
    forward.reference = [=](Inputs in, Outputs out) {
      reference::max_pool2d_forward<double>(problem, in[0], out[0], out[1]);
    };
    forward.magnitude = [](Inputs, Outputs out) {
      fill(out[0], 0);  // it selects: nothing is rounded
      fill(out[1], 0);
    };
    forward.exact_on_integers = true;  // full of ties
    test::check(forward);

    // Outputs dx, and those of the forward pass.
    OperationCase backward;
    backward.name = "max_pool2d_backward" + test::describe(problem);
    backward.inputs = {{problem.x_shape()}, {problem.y_shape()}};
    backward.outputs = {{problem.x_shape()}, {problem.y_shape()}, {problem.y_shape(), DType::i32}};
    backward.run = [=](Stream& stream, Inputs in, Outputs out) {
      max_pool2d_forward(stream, problem, in[0], out[1], out[2]);
      max_pool2d_backward(stream, problem, in[1], out[2], out[0]);
    };
    backward.reference = [=](Inputs in, Outputs out) {
      reference::max_pool2d_forward<double>(problem, in[0], out[1], out[2]);
      reference::max_pool2d_backward<double>(problem, in[1], out[2], out[0]);
    };
    backward.magnitude = [=](Inputs in, Outputs out) {
      reference::max_pool2d_forward<double>(problem, in[0], out[1], out[2]);
      for (int64_t i = 0; i < in[1].numel(); ++i) out[1].as<double>()[i] = std::abs(in[1].as<double>()[i]);
      reference::max_pool2d_backward<double>(problem, out[1], out[2], out[0]);
    };
    backward.reduction_length = problem.rows.size * problem.columns.size;  // at most so many windows meet
    backward.exact_on_integers = true;
    test::check(backward);
  }
}

TEST_CASE("max_pool2d: gradient") {
  for (const Pool2dProblem& problem : pool_problems()) {
    if (problem.x_shape().numel() > 700) continue;
    test::GradientCase gradient;
    gradient.name = "max_pool2d" + test::describe(problem);
    gradient.proves = {"max_pool2d_backward"};
    gradient.inputs = {{problem.x_shape()}};
    gradient.outputs = {{problem.y_shape()}, {problem.y_shape(), DType::i32}};
    gradient.forward = [=](Stream& stream, Inputs in, Outputs out) {
      max_pool2d_forward(stream, problem, in[0], out[0], out[1]);
    };
    gradient.backward = [=](Stream& stream, Inputs, Outputs out, ConstView dy, Outputs dx) {
      max_pool2d_backward(stream, problem, dy, out[1], dx[0]);
    };
    test::check_gradient(gradient);
  }
}

template <class T>
struct Pooled {
  std::vector<T> y;
  std::vector<int32_t> argmax;
};

template <class T>
Pooled<T> pool(const Pool2dProblem& problem, const std::vector<T>& x) {
  const auto n = static_cast<std::size_t>(problem.y_shape().numel());
  Pooled<T> result{std::vector<T>(n), std::vector<int32_t>(n)};
  Stream stream(Device::cpu);
  max_pool2d_forward(stream, problem, {x.data(), problem.x_shape(), dtype_of<T>},
                     {result.y.data(), problem.y_shape(), dtype_of<T>},
                     {result.argmax.data(), problem.y_shape(), DType::i32});
  return result;
}

// On f32, which has the fast code, and on f64, which is the reference.
TEST_CASE_TEMPLATE("max_pool2d: padding, ties, NaN and infinities by hand", T, float, double) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  // Keras's `same` for 5 columns, window 2, stride 2 pads once, after. All negative: padding must not win.
  const Pool2dProblem same = test::pool_problem({1, 1, 5, 1}, {1, 1}, {2, 2}, Padding::same);
  Pooled<T> result = pool<T>(same, {-3, -1, -2, -2, -7});
  CHECK(result.y == std::vector<T>{-1, -2, -7});
  CHECK(result.argmax == std::vector<int32_t>{1, 0, 0});
  result = pool<T>(same, {NAN, 1, 5, NAN, NAN});
  for (T value : result.y) CHECK(std::isnan(value));
  CHECK(result.argmax == std::vector<int32_t>{0, 1, 0});
  result = pool<T>(same, {-infinity, -infinity, infinity, 1, -infinity});
  CHECK(result.y == std::vector<T>{-infinity, infinity, -infinity});
  CHECK(result.argmax == std::vector<int32_t>{0, 0, 0});
  // The first tap wins, not the first place of the window: here the ones that padding cuts off come before.
  const Pool2dProblem cut = test::pool_problem({1, 3, 5, 1}, {3, 2}, {3, 2}, Padding::same);
  result = pool<T>(cut, std::vector<T>(15, -infinity));
  CHECK(result.argmax == std::vector<int32_t>{4, 3, 3, 1, 0, 0});
  // Windows of padding alone, which dilation makes possible: nothing wins, and no gradient flows.
  const Pool2dProblem hole = test::pool_problem({1, 1, 1, 1}, {1, 1}, {2, 1, 3}, Padding::same);
  for (const Pool2dProblem& one : {hole, test::pool_problem({1, 1, 1, 1}, {2, 1, 3}, {1, 1}, Padding::same)}) {
    result = pool<T>(one, {5});
    CHECK(result.y == std::vector<T>{-infinity});
    CHECK(result.argmax == std::vector<int32_t>{-1});
  }
  T dy = 1, dx = 7;
  Stream stream(Device::cpu);
  max_pool2d_backward(stream, hole, {&dy, hole.y_shape(), dtype_of<T>},
                      {result.argmax.data(), hole.y_shape(), DType::i32}, {&dx, hole.x_shape(), dtype_of<T>});
  CHECK(dx == 0);
  // Many channels at once: a NaN in one lane stays there.
  const Pool2dProblem wide{1, 1, 2, 19, {1, 1}, {2, 2}};
  std::vector<T> x(38, -2);
  x[4] = x[19 + 4] = NAN;  // of two the first wins
  x[19 + 7] = NAN;
  x[19 + 8] = 1;
  result = pool<T>(wide, x);
  for (std::size_t c = 0; c < 19; ++c) {
    CHECK(std::isnan(result.y[c]) == (c == 4 || c == 7));
    CHECK(result.argmax[c] == (c == 7 || c == 8 ? 1 : 0));
  }
}

TEST_CASE("max_pool2d on simt: of infinities below everything the first wins") {
  const Pool2dProblem problem{1, 1, 4, 1, {1, 1}, {2, 2}};
  const simt::DeviceArray<float> x({-INFINITY, -INFINITY, -INFINITY, 3}), y(2);
  const simt::DeviceArray<int32_t> argmax(2, -7);
  max_pool2d_forward(default_stream(Device::simt), problem, {x.data(), problem.x_shape(), DType::f32, Device::simt},
                     {y.data(), problem.y_shape(), DType::f32, Device::simt},
                     {argmax.data(), problem.y_shape(), DType::i32, Device::simt});
  CHECK(y.values() == std::vector<float>{-INFINITY, 3});
  CHECK(argmax.values() == std::vector<int32_t>{0, 1});
}

TEST_CASE("max_pool2d: errors and cost") {
  float x[16] = {}, y[16];
  int32_t argmax[16];
  Stream stream(Device::cpu);
  Pool2dProblem problem{1, 4, 4, 1, {2, 2}, {2, 2}};
  auto run = [&](const Shape& x_shape, const Shape& y_shape, const ConstView& positions) {
    max_pool2d_forward(stream, problem, {x, x_shape}, {y, y_shape},
                       {argmax, positions.shape, positions.dtype, Device::cpu});
  };
  const Shape in{1, 4, 4, 1}, out{1, 2, 2, 1};
  CHECK_THROWS_WITH_AS(run(in, in, {argmax, out, DType::i32}),
                       "max_pool2d_forward: y is (1, 4, 4, 1), expected (1, 2, 2, 1)", Error);
  CHECK_THROWS_WITH_AS(run(out, out, {argmax, out, DType::i32}),
                       "max_pool2d_forward: x is (1, 2, 2, 1), expected (1, 4, 4, 1)", Error);
  CHECK_THROWS_WITH_AS(run(in, out, {argmax, out}), "max_pool2d_forward: argmax is f32, expected i32", Error);
  problem.rows.stride = 0;
  CHECK_THROWS_AS(run(in, out, {argmax, out, DType::i32}), Error);
  problem.rows = {5, 1};
  CHECK_THROWS_WITH_AS(run(in, out, {argmax, out, DType::i32}),
                       "max_pool2d_forward: height of 4 is shorter than the window of 5", Error);
  const Pool2dProblem priced{2, 4, 6, 3, {2, 2}, {2, 2}};  // 36 outputs of 144 inputs
  CHECK(max_pool2d_forward_cost(priced, 4) == Cost{36 * 4, (144 + 36) * 4 + 36 * 4});
  CHECK(max_pool2d_backward_cost(priced, 4) == Cost{36, (144 + 36) * 4 + 36 * 4});
}

}  // namespace
}  // namespace melgrad
