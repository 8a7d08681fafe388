#include <doctest/doctest.h>

#include "kernels/activation.h"
#include "kernels/reference/activation.h"
#include "tests/kernels/operation_check.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

const Activation all_functions[] = {Activation::linear, Activation::relu};
const int64_t awkward_sizes[] = {0, 1, 3, 31, 257, 70'001};

TEST_CASE("activation agrees with the reference on every device") {
  for (Activation function : all_functions) {
    for (int64_t n : awkward_sizes) {
      OperationCase forward;
      forward.name = fmt::format("activation_forward {} n={}", name_of(function), n);
      forward.inputs = {{Shape{n}}};
      forward.outputs = {{Shape{n}}};
      forward.run = [=](Stream& stream, Inputs in, Outputs out) {
        activation_forward(stream, function, in[0], out[0]);
      };
      forward.reference = [=](Inputs in, Outputs out) {
        reference::activation_forward<double>(function, in[0], out[0]);
      };
      forward.exact_on_integers = true;
      forward.devices = {Device::cpu, Device::simt};
      test::check(forward);

      OperationCase backward;
      backward.name = fmt::format("activation_backward {} n={}", name_of(function), n);
      backward.inputs = {{Shape{n}}, {Shape{n}}};
      backward.outputs = {{Shape{n}}};
      backward.run = [=](Stream& stream, Inputs in, Outputs out) {
        activation_backward(stream, function, in[0], in[1], out[0]);
      };
      backward.reference = [=](Inputs in, Outputs out) {
        reference::activation_backward<double>(function, in[0], in[1], out[0]);
      };
      backward.exact_on_integers = true;
      backward.devices = {Device::cpu, Device::simt};
      test::check(backward);
    }
  }
}

TEST_CASE("relu at zero, and of NaN") {
  const float x[] = {-1.0f, 0.0f, 2.0f, NAN};
  float y[4];
  Stream stream(Device::cpu);
  activation_forward(stream, Activation::relu, {x, Shape{4}}, {y, Shape{4}});
  CHECK(y[0] == 0.0f);
  CHECK(y[1] == 0.0f);
  CHECK(y[2] == 2.0f);
  CHECK(std::isnan(y[3]));  // a diverging network must show
  const float dy[] = {5.0f, 5.0f, 5.0f, 5.0f};
  float dx[4];
  activation_backward(stream, Activation::relu, {y, Shape{4}}, {dy, Shape{4}}, {dx, Shape{4}});
  CHECK(dx[0] == 0.0f);
  CHECK(dx[1] == 0.0f);  // the derivative at 0 is 0
  CHECK(dx[2] == 5.0f);
}

TEST_CASE("activation refuses views that do not fit") {
  float x[4] = {}, y[4];
  double z[4];
  Stream stream(Device::cpu);
  CHECK_THROWS_WITH_AS(activation_forward(stream, Activation::relu, {x, Shape{4}}, {y, Shape{3}}),
                       "activation_forward: y is (3), expected (4)", Error);
  CHECK_THROWS_AS(activation_forward(stream, Activation::relu, {x, Shape{4}}, {z, Shape{4}, DType::f64}), Error);
}

TEST_CASE("activation cost") {
  CHECK(activation_forward_cost(10, 4) == Cost{10, 80});
}

}  // namespace
}  // namespace melgrad
