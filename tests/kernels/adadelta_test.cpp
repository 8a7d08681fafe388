#include "kernels/adadelta.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/reference/adadelta.h"
#include "tests/kernels/optimizer_case.h"

namespace melgrad {
namespace {

using test::copy_state;
using test::Inputs;
using test::OperationCase;
using test::Outputs;

// Inputs gradient, square, update, weight; outputs the last three, updated in place.
OperationCase adadelta_case(const AdadeltaStep& step, int64_t n) {
  OperationCase operation;
  operation.name = fmt::format("adadelta_update rho={} l2={} n={}", step.rho, step.l2, n);
  operation.inputs = {{Shape{n}}, {Shape{n}, test::positive_values()}, {Shape{n}, test::positive_values()}, {Shape{n}}};
  operation.outputs = {{Shape{n}}, {Shape{n}}, {Shape{n}}};
  operation.run = [=](Stream& stream, Inputs in, Outputs out) {
    copy_state(in, out);
    adadelta_update(stream, step, in[0], out[0], out[1], out[2]);
  };
  operation.reference = [=](Inputs in, Outputs out) {
    copy_state(in, out);
    reference::adadelta_update<double>(step, in[0], out[0], out[1], out[2]);
  };
  // With absolute inputs and the rate negated, every term of the formulas adds up. (The squares, at least 0.1, hardly
  // notice.)
  operation.magnitude = [=](Inputs in, Outputs out) {
    copy_state(in, out);
    Buffer gradient = arena(Device::cpu).allocate(n * 8);
    for (int64_t i = 0; i < n; ++i) {
      static_cast<double*>(gradient.data())[i] = std::abs(in[0].as<double>()[i]);
      out[2].as<double>()[i] = std::abs(in[3].as<double>()[i]);
    }
    AdadeltaStep all_added = step;
    all_added.learning_rate = -step.learning_rate;
    reference::adadelta_update<double>(all_added, {gradient.data(), Shape{n}, DType::f64}, out[0], out[1], out[2]);
  };
  operation.reduction_length = 8;
  return operation;
}

TEST_CASE("adadelta agrees with the reference") {
  for (double l2 : {0.0, 0.01})
    for (int64_t n : {0, 1, 3, 31, 257, 20'011})
      test::check(adadelta_case({.learning_rate = 0.5, .rho = 0.9, .l2 = l2}, n));
}

TEST_CASE("adadelta of several parameters at once: the bits of each alone") {
  const AdadeltaStep step{.learning_rate = 0.5, .l2 = 0.01};
  test::check_updated_together(
      "adadelta_update_all", [=](int64_t n) { return adadelta_case(step, n); },
      [=](Stream& stream, const std::vector<test::UpdatePart>& parts, Inputs in, Outputs out) {
        std::vector<AdadeltaUpdate> updates;
        for (const test::UpdatePart& part : parts) {
          const Outputs own = part.out(out);
          updates.push_back({step, part.in(in)[0], own[0], own[1], own[2], part.keep});
        }
        adadelta_update_all(stream, updates);
      });
}

struct State {
  double square = 0, update = 0, weight = 1;

  void step(const AdadeltaStep& step, double gradient) {
    Stream stream(Device::cpu);
    const auto view = [](double& x) { return View{&x, Shape{}, DType::f64}; };
    adadelta_update(stream, step, view(gradient), view(square), view(update), view(weight));
  }
};

TEST_CASE("adadelta: steps computed by hand") {
  State state;
  const AdadeltaStep step{.learning_rate = 0.5, .rho = 0.75, .epsilon = 0.01};
  const struct {
    double gradient, square, update, weight;
  } expected[] = {{0.5, 0.0625, 0.008620689655172415, 0.9071523309114741},
                  {-1, 0.296875, 0.021635121848444412, 1.0303172796877598},
                  {0.25, 0.23828125, 0.018217223818582803, 0.9856979740874987}};
  for (const auto& e : expected) {
    state.step(step, e.gradient);
    CHECK(state.square == doctest::Approx(e.square).epsilon(1e-12));
    CHECK(state.update == doctest::Approx(e.update).epsilon(1e-12));
    CHECK(state.weight == doctest::Approx(e.weight).epsilon(1e-12));
  }
  State decayed;
  decayed.step({.learning_rate = 1, .rho = 0.75, .epsilon = 0.01, .l2 = 0.1}, 0.5);  // g = 0.6
  CHECK(decayed.weight == doctest::Approx(0.8102633403898972).epsilon(1e-12));
}

TEST_CASE("adadelta: errors and cost") {
  float x[4] = {};
  Stream stream(Device::cpu);
  const View good{x, Shape{4}}, other{x, Shape{3}};
  CHECK_THROWS_WITH_AS(adadelta_update(stream, {}, other, good, good, good),
                       "adadelta_update: gradient is (3), expected (4)", Error);
  CHECK_THROWS_WITH_AS(adadelta_update(stream, {}, good, good, other, good),
                       "adadelta_update: update is (3), expected (4)", Error);
  CHECK_THROWS_WITH_AS(adadelta_update(stream, {.rho = 1}, good, good, good, good),
                       "adadelta_update: rho is 1, expected 0 <= rho < 1", Error);
  CHECK_THROWS_AS(adadelta_update(stream, {.epsilon = 0}, good, good, good, good), Error);
  CHECK(adadelta_update_cost(10, 4) == Cost{160, 280});
}

}  // namespace
}  // namespace melgrad
