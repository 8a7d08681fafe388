#include "kernels/softmax.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "kernels/reference/softmax.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

const Shape awkward_shapes[] = {{1},     {0, 3},     {3, 0},      {1, 1},     {5, 10},   {7, 16},
                                {3, 17}, {2, 3, 31}, {257, 1, 2}, {33, 1000}, {131, 63}, {2, 5001}};

// y_i carries its own error of exp, that of rounding x_i - max, and both as they enter the sum.
void forward_magnitude(Inputs in, Outputs out) {
  reference::softmax_forward<double>(in[0], out[0]);
  const int64_t classes = in[0].shape[-1];
  const double* x = in[0].as<double>();
  double* y = out[0].as<double>();
  for (int64_t start = 0; start < in[0].numel(); start += classes) {
    const double maximum = *std::max_element(x + start, x + start + classes);
    double mean_distance = 0;
    for (int64_t i = start; i < start + classes; ++i) mean_distance += y[i] * (maximum - x[i]);
    for (int64_t i = start; i < start + classes; ++i) y[i] *= 2 + mean_distance + (maximum - x[i]);
  }
}

void backward_magnitude(Inputs in, Outputs out) {
  const int64_t classes = in[0].shape[-1];
  for (int64_t start = 0; start < in[0].numel(); start += classes) {
    const double* y = in[0].as<double>() + start;
    const double* dy = in[1].as<double>() + start;
    double dot = 0;
    for (int64_t i = 0; i < classes; ++i) dot += std::abs(y[i] * dy[i]);
    for (int64_t i = 0; i < classes; ++i) out[0].as<double>()[start + i] = std::abs(y[i]) * (std::abs(dy[i]) + dot);
  }
}

TEST_CASE("softmax agrees with the reference") {
  for (const Shape& shape : awkward_shapes) {
    OperationCase forward;
    forward.name = "softmax_forward " + shape.to_string();
    forward.inputs = {{shape, [](Generator& random, bool) { return 5 * random.normal(); }}};
    forward.outputs = {{shape}};
    forward.run = [](Stream& stream, Inputs in, Outputs out) { softmax_forward(stream, in[0], out[0]); };
    forward.reference = [](Inputs in, Outputs out) { reference::softmax_forward<double>(in[0], out[0]); };
    forward.reduction_length = std::max<int64_t>(4, shape[-1]);
    forward.magnitude = forward_magnitude;
    test::check(forward);

    OperationCase backward;
    backward.name = "softmax_backward " + shape.to_string();
    backward.inputs = {{shape}, {shape}};
    backward.outputs = {{shape}};
    backward.run = [](Stream& stream, Inputs in, Outputs out) { softmax_backward(stream, in[0], in[1], out[0]); };
    backward.reference = [](Inputs in, Outputs out) { reference::softmax_backward<double>(in[0], in[1], out[0]); };
    backward.reduction_length = shape[-1];
    backward.magnitude = backward_magnitude;
    backward.exact_on_integers = true;
    if (shape[-1] < 100) test::check(backward);
  }
}

TEST_CASE("softmax: gradient") {
  test::GradientCase gradient;
  gradient.name = "softmax";
  gradient.proves = {"softmax_backward"};
  gradient.inputs = {{Shape{2, 3, 5}}};
  gradient.outputs = {{Shape{2, 3, 5}}};
  gradient.forward = [](Stream& stream, Inputs in, Outputs out) { softmax_forward(stream, in[0], out[0]); };
  gradient.backward = [](Stream& stream, Inputs, Outputs out, ConstView dy, Outputs dx) {
    softmax_backward(stream, out[0], dy, dx[0]);
  };
  test::check_gradient(gradient);
}

TEST_CASE("softmax of large numbers, infinities and NaN") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float x[5][3] = {{1e4f, 1e4f, -1e4f}, {-1e4f, -1e4f, -1e4f}, {0, -infinity, 0}, {1, NAN, 2}, {0, infinity, 0}};
  float y[5][3];
  Stream stream(Device::cpu);
  softmax_forward(stream, {x, Shape{5, 3}}, {y, Shape{5, 3}});
  CHECK(y[0][0] == 0.5f);
  CHECK(y[0][2] == 0.0f);
  CHECK(y[1][0] == doctest::Approx(1.0 / 3));
  CHECK(y[2][0] == 0.5f);
  CHECK(y[2][1] == 0.0f);
  for (float value : y[3]) CHECK(std::isnan(value));  // a diverging network must show
  CHECK(std::isnan(y[4][1]));
}

TEST_CASE("softmax: errors and cost") {
  float x[4] = {}, y[4];
  Stream stream(Device::cpu);
  CHECK_THROWS_WITH_AS(softmax_forward(stream, {x, Shape{4}}, {y, Shape{2, 2}}),
                       "softmax_forward: y is (2, 2), expected (4)", Error);
  CHECK_THROWS_WITH_AS(softmax_forward(stream, {x, Shape{}}, {y, Shape{}}),
                       "softmax_forward: x is a scalar, expected (…, classes)", Error);
  CHECK_THROWS_AS(softmax_backward(stream, {x, Shape{4}}, {x, Shape{3}}, {y, Shape{4}}), Error);
  CHECK(softmax_forward_cost(3, 10, 4) == Cost{120, 240});
  CHECK(softmax_backward_cost(3, 10, 4) == Cost{120, 360});
}

}  // namespace
}  // namespace melgrad
