// The element-wise losses, softmax with cross-entropy to a distribution, and the functions of one number.
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/reference/element_loss.h"
#include "kernels/reference/soft_cross_entropy.h"
#include "kernels/reference/unary.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::FillFunction;
using test::Inputs;
using test::OperationCase;
using test::Outputs;

const int64_t awkward_sizes[] = {0, 1, 3, 31, 257, 5001};

// Probabilities and targets away from 0 and 1.
FillFunction fractions() {
  return [](Generator& random, bool) { return random.uniform(0.05, 0.95); };
}

FillFunction predictions_of(ElementLoss loss) {
  const bool probability = loss == ElementLoss::binary_cross_entropy || loss == ElementLoss::cross_entropy;
  return probability ? fractions() : test::normal_values();
}

// The terms are of the size of 1/x at most, and each logarithm is good to a few units in the last place.
void constant_magnitude(Outputs out, double value) {
  for (int64_t i = 0; i < out[0].numel(); ++i) out[0].as<double>()[i] = value;
}

TEST_CASE("element_loss agrees with the reference") {
  for (const auto& entry : enum_names<ElementLoss>) {
    const ElementLoss loss = entry.first;
    for (int64_t n : awkward_sizes) {
      OperationCase forward;
      forward.name = fmt::format("element_loss_forward {} n={}", entry.second, n);
      forward.inputs = {{Shape{n}, predictions_of(loss)}, {Shape{n}, fractions()}};
      forward.outputs = {{Shape{n}}};
      forward.run = [=](Stream& s, Inputs in, Outputs out) { element_loss_forward(s, loss, in[0], in[1], out[0]); };
      forward.reference = [=](Inputs in, Outputs out) {
        reference::element_loss_forward<double>(loss, in[0], in[1], out[0]);
      };
      forward.magnitude = [](Inputs, Outputs out) { constant_magnitude(out, 40); };
      test::check(forward);

      OperationCase backward = forward;
      backward.name = fmt::format("element_loss_backward {} n={}", entry.second, n);
      backward.inputs.push_back({Shape{n}});
      backward.run = [=](Stream& s, Inputs in, Outputs out) {
        element_loss_backward(s, loss, in[0], in[1], in[2], out[0]);
      };
      backward.reference = [=](Inputs in, Outputs out) {
        reference::element_loss_backward<double>(loss, in[0], in[1], in[2], out[0]);
      };
      backward.magnitude = [](Inputs, Outputs out) { constant_magnitude(out, 400); };
      test::check(backward);
    }
    test::GradientCase gradient;
    gradient.name = std::string(entry.second);
    gradient.proves = {"element_loss_backward"};
    gradient.inputs = {{Shape{7}, predictions_of(loss)}};
    gradient.outputs = {{Shape{7}}};
    std::vector<double> targets{0, 1, 0.3, 0.7, 1, 0.1, 0.5};
    gradient.forward = [=](Stream& s, Inputs in, Outputs out) {
      element_loss_forward(s, loss, in[0], {targets.data(), Shape{7}, DType::f64}, out[0]);
    };
    gradient.backward = [=](Stream& s, Inputs in, Outputs, ConstView dy, Outputs gradients) {
      element_loss_backward(s, loss, in[0], {targets.data(), Shape{7}, DType::f64}, dy, gradients[0]);
    };
    test::check_gradient(gradient);
  }
}

TEST_CASE("binary cross-entropy is stable far out") {
  Stream stream(Device::cpu);
  const float x[] = {100, 100, -100, -100, 0}, t[] = {1, 0, 1, 0, 0.25f}, dy[] = {1, 1, 1, 1, 1};
  float y[5], dx[5];
  const Shape five{5};
  element_loss_forward(stream, ElementLoss::binary_cross_entropy_logits, {x, five}, {t, five}, {y, five});
  CHECK(y[0] == doctest::Approx(0).epsilon(1e-30));
  CHECK(y[1] == 100);
  CHECK(y[2] == 100);
  CHECK(y[4] == doctest::Approx(std::log(2.0)));
  element_loss_backward(stream, ElementLoss::binary_cross_entropy_logits, {x, five}, {t, five}, {dy, five}, {dx, five});
  CHECK(dx[1] == 1);
  CHECK(dx[2] == -1);
  CHECK(dx[4] == 0.25f);
  // Probabilities of 0 and 1 are held, as Keras holds them.
  const float p[] = {0, 1, 0, 1, NAN};
  element_loss_forward(stream, ElementLoss::binary_cross_entropy, {p, five}, {t, five}, {y, five});
  CHECK(y[0] == doctest::Approx(-std::log(1e-7)));
  CHECK(std::isnan(y[4]));
  element_loss_backward(stream, ElementLoss::cross_entropy, {p, five}, {t, five}, {dy, five}, {dx, five});
  CHECK(dx[0] == 0);
  CHECK(dx[1] == 0);
  CHECK(std::isnan(dx[4]));
  const double held[] = {0, 1, NAN}, quarter[] = {0.25, 0.25, 0.25}, one[] = {1, 1, 1};
  double gradient[3];
  const Shape three{3};
  for (ElementLoss loss : {ElementLoss::binary_cross_entropy, ElementLoss::cross_entropy}) {
    element_loss_backward(stream, loss, {held, three, DType::f64}, {quarter, three, DType::f64},
                          {one, three, DType::f64}, {gradient, three, DType::f64});
    CHECK(gradient[0] == 0);
    CHECK(gradient[1] == 0);
    CHECK(std::isnan(gradient[2]));
  }
}

TEST_CASE("soft_cross_entropy agrees with the reference") {
  const FillFunction counts = [](Generator& random, bool) { return static_cast<double>(random.below(3)); };
  const std::pair<int64_t, int64_t> sizes[] = {{0, 3}, {1, 1}, {32, 10}, {5, 31}, {131, 7}, {3, 2000}};
  for (const auto& [rows, classes] : sizes)
    for (TargetScale scale : {TargetScale::as_given, TargetScale::sum_to_one}) {
      OperationCase forward;
      forward.name = fmt::format("soft_cross_entropy_forward ({}, {}) {}", rows, classes, name_of(scale));
      forward.inputs = {{Shape{rows, classes}}, {Shape{rows, classes}, counts}};
      forward.outputs = {{Shape{rows}}, {Shape{rows, classes}}};
      forward.run = [=](Stream& s, Inputs in, Outputs out) {
        soft_cross_entropy_forward(s, scale, in[0], in[1], out[0], out[1]);
      };
      forward.reference = [=](Inputs in, Outputs out) {
        reference::soft_cross_entropy_forward<double>(scale, in[0], in[1], out[0], out[1]);
      };
      forward.reduction_length = std::max<int64_t>(16, classes);
      test::check(forward);

      OperationCase backward;
      backward.name = fmt::format("soft_cross_entropy_backward ({}, {}) {}", rows, classes, name_of(scale));
      backward.inputs = {{Shape{rows, classes}, fractions()}, {Shape{rows, classes}, counts}, {Shape{rows}}};
      backward.outputs = {{Shape{rows, classes}}};
      backward.run = [=](Stream& s, Inputs in, Outputs out) {
        soft_cross_entropy_backward(s, scale, in[0], in[1], in[2], out[0]);
      };
      backward.reference = [=](Inputs in, Outputs out) {
        reference::soft_cross_entropy_backward<double>(scale, in[0], in[1], in[2], out[0]);
      };
      backward.magnitude = [=, classes = classes](Inputs in, Outputs out) {
        for (int64_t i = 0; i < in[0].numel(); ++i)
          out[0].as<double>()[i] = (4 + static_cast<double>(classes)) * std::abs(in[2].as<double>()[i / classes]);
      };
      backward.reduction_length = 4;
      test::check(backward);

      if (classes > 31) continue;
      test::GradientCase gradient;
      gradient.name = forward.name;
      gradient.proves = {"soft_cross_entropy_backward"};
      gradient.inputs = {{Shape{rows, classes}}};
      gradient.outputs = {{Shape{rows}}, {Shape{rows, classes}}};
      auto targets = std::make_shared<std::vector<double>>(static_cast<std::size_t>(rows * classes));
      Generator random(3, Draw::test);
      for (double& value : *targets) value = counts(random, false);
      const Shape shape{rows, classes};
      gradient.forward = [=](Stream& s, Inputs in, Outputs out) {
        soft_cross_entropy_forward(s, scale, in[0], {targets->data(), shape, DType::f64}, out[0], out[1]);
      };
      gradient.backward = [=](Stream& s, Inputs, Outputs out, ConstView dloss, Outputs gradients) {
        soft_cross_entropy_backward(s, scale, out[1], {targets->data(), shape, DType::f64}, dloss, gradients[0]);
      };
      test::check_gradient(gradient);
    }
}

TEST_CASE("soft_cross_entropy: a row without labels has no loss and no gradient") {
  Stream stream(Device::cpu);
  const float x[] = {1e4f, -1e4f, 3, 1, 2, 3}, t[] = {0, 0, 0, 1, 1, 0}, dloss[] = {1, 1};
  float loss[2], p[6], dx[6];
  const Shape shape{2, 3}, rows{2};
  soft_cross_entropy_forward(stream, TargetScale::sum_to_one, {x, shape}, {t, shape}, {loss, rows}, {p, shape});
  CHECK(loss[0] == 0);
  const double lse = std::log(std::exp(1) + std::exp(2) + std::exp(3));
  CHECK(loss[1] == doctest::Approx(lse - 1.5));
  soft_cross_entropy_backward(stream, TargetScale::sum_to_one, {p, shape}, {t, shape}, {dloss, rows}, {dx, shape});
  for (int i = 0; i < 3; ++i) CHECK(dx[i] == 0);
  CHECK(dx[3] == doctest::Approx(std::exp(1 - lse) - 0.5));
}

TEST_CASE("unary functions agree with the reference") {
  for (const auto& entry : enum_names<Unary>) {
    const Unary function = entry.first;
    const FillFunction fill =
        function == Unary::log || function == Unary::sqrt ? test::positive_values() : test::normal_values();
    for (int64_t n : awkward_sizes) {
      OperationCase forward;
      forward.name = fmt::format("unary_forward {} n={}", entry.second, n);
      forward.inputs = {{Shape{n}, fill}};
      forward.outputs = {{Shape{n}}};
      forward.run = [=](Stream& s, Inputs in, Outputs out) { unary_forward(s, function, in[0], out[0]); };
      forward.reference = [=](Inputs in, Outputs out) { reference::unary_forward<double>(function, in[0], out[0]); };
      forward.magnitude = [=](Inputs in, Outputs out) {
        reference::unary_forward<double>(function, in[0], out[0]);
        for (int64_t i = 0; i < n; ++i) out[0].as<double>()[i] = 2 * std::abs(out[0].as<double>()[i]) + 1;
      };
      test::check(forward);

      OperationCase backward = forward;
      backward.name = fmt::format("unary_backward {} n={}", entry.second, n);
      backward.inputs = {{Shape{n}, fill}, {Shape{n}}};
      backward.run = [=](Stream& s, Inputs in, Outputs out) { unary_backward(s, function, in[0], in[1], out[0]); };
      backward.reference = [=](Inputs in, Outputs out) {
        reference::unary_backward<double>(function, in[0], in[1], out[0]);
      };
      backward.magnitude = [=](Inputs in, Outputs out) {
        reference::unary_backward<double>(function, in[0], in[1], out[0]);
        for (int64_t i = 0; i < n; ++i) out[0].as<double>()[i] = 4 * std::abs(out[0].as<double>()[i]);
      };
      test::check(backward);
    }
    test::GradientCase gradient;
    gradient.name = std::string(entry.second);
    gradient.proves = {"unary_backward"};
    gradient.inputs = {{Shape{9}, fill}};
    gradient.outputs = {{Shape{9}}};
    gradient.forward = [=](Stream& s, Inputs in, Outputs out) { unary_forward(s, function, in[0], out[0]); };
    gradient.backward = [=](Stream& s, Inputs in, Outputs, ConstView dy, Outputs gradients) {
      unary_backward(s, function, in[0], dy, gradients[0]);
    };
    test::check_gradient(gradient);
  }
}

TEST_CASE("unary functions in several chunks") {
  constexpr int64_t n = 70'001;
  OperationCase square;
  square.name = "unary_backward square in several chunks";
  square.inputs = {{Shape{n}}, {Shape{n}}};
  square.outputs = {{Shape{n}}};
  square.devices = {Device::cpu};
  square.run = [](Stream& s, Inputs in, Outputs out) { unary_backward(s, Unary::square, in[0], in[1], out[0]); };
  square.reference = [](Inputs in, Outputs out) {
    reference::unary_backward<double>(Unary::square, in[0], in[1], out[0]);
  };
  square.exact_on_integers = true;
  test::check(square);
}

TEST_CASE("the slope of abs at 0 is 0, and a NaN goes on") {
  Stream stream(Device::cpu);
  const double x[] = {0, 0, 0}, dy[] = {3, 0, NAN};
  double dx[3];
  const Shape three{3};
  unary_backward(stream, Unary::abs, {x, three, DType::f64}, {dy, three, DType::f64}, {dx, three, DType::f64});
  CHECK(dx[0] == 0);
  CHECK(dx[1] == 0);
  CHECK(std::isnan(dx[2]));
}

TEST_CASE("costs of the losses and functions") {
  CHECK(element_loss_forward_cost(10, 4).bytes == 120);
  CHECK(element_loss_backward_cost(10, 4).bytes == 160);
  CHECK(soft_cross_entropy_forward_cost(2, 5, 4).bytes == 4 * 32);
  CHECK(unary_forward_cost(10, 4) == Cost{10, 80});
}

}  // namespace
}  // namespace melgrad
