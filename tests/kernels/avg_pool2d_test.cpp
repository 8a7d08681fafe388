#include "kernels/avg_pool2d.h"

#include <doctest/doctest.h>

#include "kernels/reference/avg_pool2d.h"
#include "tests/kernels/gradient_check.h"
#include "tests/kernels/pool_problems.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

std::string describe_case(const Pool2dProblem& problem, AverageOver over) {
  return fmt::format("{} over {}", test::describe(problem), name_of(over));
}

TEST_CASE("avg_pool2d agrees with the reference") {
  for (const Pool2dProblem& problem : test::pool_problems())
    for (AverageOver over : {AverageOver::inside, AverageOver::window}) {
      OperationCase forward;
      forward.name = "avg_pool2d_forward" + describe_case(problem, over);
      forward.inputs = {{problem.x_shape()}};
      forward.outputs = {{problem.y_shape()}};
      forward.run = [=](Stream& stream, Inputs in, Outputs out) {
        avg_pool2d_forward(stream, problem, over, in[0], out[0]);
      };
      forward.reference = [=](Inputs in, Outputs out) {
        reference::avg_pool2d_forward<double>(problem, over, in[0], out[0]);
      };
      forward.reduction_length = problem.rows.size * problem.columns.size;
      test::check(forward);

      OperationCase backward;
      backward.name = "avg_pool2d_backward" + describe_case(problem, over);
      backward.inputs = {{problem.y_shape()}};
      backward.outputs = {{problem.x_shape()}};
      backward.run = [=](Stream& stream, Inputs in, Outputs out) {
        avg_pool2d_backward(stream, problem, over, in[0], out[0]);
      };
      backward.reference = [=](Inputs in, Outputs out) {
        reference::avg_pool2d_backward<double>(problem, over, in[0], out[0]);
      };
      backward.reduction_length = forward.reduction_length;
      test::check(backward);
    }
}

TEST_CASE("avg_pool2d: gradients") {
  for (const Pool2dProblem& problem : test::pool_problems())
    for (AverageOver over : {AverageOver::inside, AverageOver::window}) {
      if (problem.x_shape().numel() > 2000) continue;
      test::GradientCase gradient;
      gradient.name = "avg_pool2d" + describe_case(problem, over);
      gradient.proves = {"avg_pool2d_backward"};
      gradient.inputs = {{problem.x_shape()}};
      gradient.outputs = {{problem.y_shape()}};
      gradient.forward = [=](Stream& stream, Inputs in, Outputs out) {
        avg_pool2d_forward(stream, problem, over, in[0], out[0]);
      };
      gradient.backward = [=](Stream& stream, Inputs, Outputs, ConstView dy, Outputs gradients) {
        avg_pool2d_backward(stream, problem, over, dy, gradients[0]);
      };
      test::check_gradient(gradient);
    }
}

// A corner window of a 3 × 3 `same` pool holds four elements.
TEST_CASE("avg_pool2d by hand: what an edge is divided by") {
  const Window window = padded({.size = 3}, Padding::same, 2);
  const Pool2dProblem problem{1, 2, 2, 1, window, window};
  const float x[] = {1, 2, 3, 6};
  float y[4];
  Stream stream(Device::cpu);
  avg_pool2d_forward(stream, problem, AverageOver::inside, {x, problem.x_shape()}, {y, problem.y_shape()});
  CHECK(y[0] == 3.0f);
  avg_pool2d_forward(stream, problem, AverageOver::window, {x, problem.x_shape()}, {y, problem.y_shape()});
  CHECK(y[0] == doctest::Approx(12.0 / 9));
}

// With dilation a window can step over all that there is.
TEST_CASE("avg_pool2d of a window that holds nothing is 0") {
  const Pool2dProblem problem{1, 1, 1, 1, {2, 1, 3, 1, 2}, {1}};
  const double x[] = {7}, dy[] = {3};
  double y[1], dx[1];
  const auto f64 = [](auto* data, const Shape& shape) { return View{const_cast<double*>(data), shape, DType::f64}; };
  Stream stream(Device::cpu);
  avg_pool2d_forward(stream, problem, AverageOver::inside, f64(x, problem.x_shape()), f64(y, problem.y_shape()));
  CHECK(y[0] == 0);
  avg_pool2d_backward(stream, problem, AverageOver::inside, f64(dy, problem.y_shape()), f64(dx, problem.x_shape()));
  CHECK(dx[0] == 0);
}

TEST_CASE("avg_pool2d cost") {
  CHECK(avg_pool2d_cost({1, 4, 4, 2, {2, 2}, {2, 2}}, 4) == Cost{8 * 5, (32 + 8) * 4});
}

}  // namespace
}  // namespace melgrad
