#include <doctest/doctest.h>

#include "kernels/activation.h"
#include "kernels/reference/activation.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

const int64_t awkward_sizes[] = {0, 1, 3, 31, 257, 70'001};

// An exponential is good to a few units in the last place; sums with a constant (x + 3, 1 - y²) err by that of the sum.
void forward_magnitude(Inputs in, Outputs out) {
  for (int64_t i = 0; i < in[0].numel(); ++i) out[0].as<double>()[i] = 4 * (1 + std::abs(in[0].as<double>()[i]));
}

void backward_magnitude(Inputs in, Outputs out) {
  for (int64_t i = 0; i < in[0].numel(); ++i) {
    const double y = in[0].as<double>()[i], dy = in[1].as<double>()[i];
    out[0].as<double>()[i] = 2 * (1 + y * y) * std::abs(dy);
  }
}

TEST_CASE("activation agrees with the reference on every device") {
  for (const auto& entry : enum_names<Activation>) {
    const ActivationChoice choice(entry.first, entry.first == Activation::elu ? 0.7 : 0.3);
    for (int64_t n : awkward_sizes) {
      OperationCase forward;
      forward.name = fmt::format("activation_forward {} n={}", entry.second, n);
      forward.inputs = {{Shape{n}}};
      forward.outputs = {{Shape{n}}};
      forward.run = [=](Stream& stream, Inputs in, Outputs out) { activation_forward(stream, choice, in[0], out[0]); };
      forward.reference = [=](Inputs in, Outputs out) { reference::activation_forward<double>(choice, in[0], out[0]); };
      forward.magnitude = forward_magnitude;
      forward.exact_on_integers = entry.first == Activation::linear || entry.first == Activation::relu;
      test::check(forward);

      OperationCase backward;
      backward.name = fmt::format("activation_backward {} n={}", entry.second, n);
      backward.inputs = {{Shape{n}}, {Shape{n}}};
      backward.outputs = {{Shape{n}}};
      backward.run = [=](Stream& stream, Inputs in, Outputs out) {
        activation_backward(stream, choice, in[0], in[1], out[0]);
      };
      backward.reference = [=](Inputs in, Outputs out) {
        reference::activation_backward<double>(choice, in[0], in[1], out[0]);
      };
      backward.magnitude = backward_magnitude;
      backward.exact_on_integers = forward.exact_on_integers;
      test::check(backward);
    }
  }
}

TEST_CASE("activations: gradients") {
  for (const auto& entry : enum_names<Activation>) {
    const ActivationChoice choice(entry.first, 0.3);
    test::GradientCase gradient;
    gradient.name = std::string("activation ") + std::string(entry.second);
    gradient.proves = {"activation_backward"};
    // Between and beyond the bends of the hard functions, at -3, -2.5, 0, 2.5 and 3, and away from them.
    gradient.inputs = {{Shape{41}, [](Generator& random, bool) {
                          const double centres[] = {-4, -2.75, -1.2, 1.2, 2.75, 4};
                          return centres[random.below(6)] + random.uniform(-0.2, 0.2);
                        }}};
    gradient.outputs = {{Shape{41}}};
    gradient.forward = [=](Stream& s, Inputs in, Outputs out) { activation_forward(s, choice, in[0], out[0]); };
    gradient.backward = [=](Stream& s, Inputs, Outputs out, ConstView dy, Outputs dx) {
      activation_backward(s, choice, out[0], dy, dx[0]);
    };
    test::check_gradient(gradient);
  }
}

TEST_CASE("activations far out, and of NaN") {
  Stream stream(Device::cpu);
  for (const auto& entry : enum_names<Activation>) {
    CAPTURE(entry.second);
    const float x[] = {-1e30f, -100.0f, -3.5f, 3.5f, 1e30f, NAN};
    float y[6];
    activation_forward(stream, entry.first, {x, Shape{6}}, {y, Shape{6}});
    for (int i = 0; i < 5; ++i) CHECK(std::isfinite(y[i]));
    CHECK(std::isnan(y[5]));
    const bool bounded = entry.second.find("sigmoid") != std::string_view::npos;
    if (bounded) CHECK(y[0] == 0.0f);
    if (bounded || entry.first == Activation::tanh) CHECK(y[4] == 1.0f);
    if (entry.first == Activation::elu) CHECK(y[1] == -1.0f);
    if (entry.first == Activation::leaky_relu) CHECK(y[2] == doctest::Approx(-0.7));
  }
  float x = 1;
  CHECK_THROWS_WITH_AS(activation_forward(stream, {Activation::elu, -1}, {&x, Shape{1}}, {&x, Shape{1}}),
                       "activation_forward: alpha of elu is -1, expected 0 or more", Error);
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

TEST_CASE("leaky relu and elu at zero: the derivative is that from below") {
  Stream stream(Device::cpu);
  const double y[] = {0}, dy[] = {2};
  double dx[1];
  activation_backward(stream, {Activation::leaky_relu, 0.25}, {y, Shape{1}, DType::f64}, {dy, Shape{1}, DType::f64},
                      {dx, Shape{1}, DType::f64});
  CHECK(dx[0] == 0.5);
  activation_backward(stream, {Activation::elu, 0.5}, {y, Shape{1}, DType::f64}, {dy, Shape{1}, DType::f64},
                      {dx, Shape{1}, DType::f64});
  CHECK(dx[0] == 1);
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
