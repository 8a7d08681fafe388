#include "kernels/bias.h"

#include <doctest/doctest.h>

#include "kernels/reference/bias.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

const Shape shapes[] = {{3, 5, 7, 48}, {32, 10}, {1, 1},    {1000, 33},  {7},
                        {0, 4},        {70, 1},  {5000, 3}, {3, 20'000}, {101, 37}};

TEST_CASE("bias agrees with the reference") {
  for (const Shape& shape : shapes) {
    const Shape channels{shape[-1]};
    OperationCase forward;
    forward.name = "bias_forward " + shape.to_string();
    forward.inputs = {{shape}, {channels}};
    forward.outputs = {{shape}};
    forward.exact_on_integers = true;
    forward.run = [](Stream& stream, Inputs in, Outputs out) { bias_forward(stream, in[0], in[1], out[0]); };
    forward.reference = [](Inputs in, Outputs out) { reference::bias_forward<double>(in[0], in[1], out[0]); };
    test::check(forward);

    OperationCase backward;
    backward.name = "bias_backward " + shape.to_string();
    backward.inputs = {{shape}};
    backward.outputs = {{channels}};
    backward.exact_on_integers = true;
    backward.reduction_length = shape.numel() / shape[-1];
    backward.run = [](Stream& stream, Inputs in, Outputs out) { bias_backward(stream, in[0], out[0]); };
    backward.reference = [](Inputs in, Outputs out) { reference::bias_backward<double>(in[0], out[0]); };
    test::check(backward);
  }
}

TEST_CASE("bias: gradient") {
  test::GradientCase gradient;
  gradient.name = "bias";
  gradient.proves = {"bias_backward"};
  gradient.inputs = {{{4, 3}}, {{3}}};
  gradient.outputs = {{{4, 3}}};
  gradient.forward = [](Stream& stream, Inputs in, Outputs out) { bias_forward(stream, in[0], in[1], out[0]); };
  gradient.backward = [](Stream& stream, Inputs, Outputs, ConstView dy, Outputs gradients) {
    for (int64_t i = 0; i < dy.numel(); ++i) gradients[0].as<double>()[i] = dy.as<double>()[i];  // dx is dy
    bias_backward(stream, dy, gradients[1]);
  };
  test::check_gradient(gradient);
}

TEST_CASE("bias: errors and cost") {
  float x[6] = {}, b[3] = {};
  Stream stream(Device::cpu);
  CHECK_THROWS_WITH_AS(bias_forward(stream, {x, {2, 3}}, {b, {2}}, {x, {2, 3}}),
                       "bias_forward: bias is (2), expected (3)", Error);
  CHECK(bias_forward_cost(2, 3, 4) == Cost{6, 15 * 4});
  CHECK(bias_backward_cost(2, 3, 4) == Cost{6, 9 * 4});
}

}  // namespace
}  // namespace melgrad
