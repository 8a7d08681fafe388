#include "kernels/adam.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/reference/adam.h"
#include "tests/kernels/optimizer_case.h"

namespace melgrad {
namespace {

using test::all_variants;
using test::copy_state;
using test::Inputs;
using test::OperationCase;
using test::Outputs;

// Inputs gradient, the three moments, weight; outputs moments and weight, updated in place.
OperationCase adam_case(const AdamStep& step, int64_t n) {
  OperationCase operation;
  operation.name = fmt::format("adam_update {} step={} l2={} amsgrad={} n={}", name_of(step.variant), step.step,
                               step.l2, step.amsgrad, n);
  operation.inputs = {
      {Shape{n}}, {Shape{n}}, {Shape{n}, test::positive_values()}, {Shape{n}, test::positive_values()}, {Shape{n}}};
  operation.outputs = {{Shape{n}}, {Shape{n}}, {Shape{n}}, {Shape{n}}};
  operation.run = [=](Stream& stream, Inputs in, Outputs out) {
    copy_state(in, out);
    adam_update(stream, step, in[0], out[0], out[1], out[2], out[3]);
  };
  operation.reference = [=](Inputs in, Outputs out) {
    copy_state(in, out);
    reference::adam_update<double>(step, in[0], out[0], out[1], out[2], out[3]);
  };
  // With absolute inputs and the rate negated, every term of the formulas adds up. (The second moment, at least 0.1,
  // hardly notices.)
  operation.magnitude = [=](Inputs in, Outputs out) {
    copy_state(in, out);
    Buffer gradient = arena(Device::cpu).allocate(n * 8);
    for (int64_t i = 0; i < n; ++i) {
      static_cast<double*>(gradient.data())[i] = std::abs(in[0].as<double>()[i]);
      out[0].as<double>()[i] = std::abs(in[1].as<double>()[i]);
      out[3].as<double>()[i] = std::abs(in[4].as<double>()[i]);
    }
    AdamStep all_added = step;
    all_added.learning_rate = -step.learning_rate;
    reference::adam_update<double>(all_added, {gradient.data(), Shape{n}, DType::f64}, out[0], out[1], out[2], out[3]);
  };
  operation.reduction_length = 6;
  return operation;
}

TEST_CASE("adam agrees with the reference") {
  for (OptimizerVariant variant : all_variants) {
    for (int64_t t : {1, 2, 1000, 1'000'000}) {
      for (double decay : {0.0, 0.01}) {
        for (int64_t n : {0, 1, 3, 31, 257})
          for (bool amsgrad : {false, true})
            test::check(
                adam_case({.learning_rate = 0.1, .l2 = decay, .amsgrad = amsgrad, .step = t, .variant = variant}, n));
      }
    }
    for (bool amsgrad : {false, true})
      test::check(
          adam_case({.learning_rate = 0.1, .l2 = 0.01, .amsgrad = amsgrad, .step = 7, .variant = variant}, 40'009));
  }
}

TEST_CASE("adam of several parameters at once: the bits of each alone") {
  for (OptimizerVariant variant : all_variants)
    for (bool amsgrad : {false, true}) {
      const AdamStep step{.learning_rate = 0.1, .l2 = 0.01, .amsgrad = amsgrad, .step = 3, .variant = variant};
      test::check_updated_together(
          fmt::format("adam_update_all {} amsgrad={}", name_of(variant), amsgrad),
          [=](int64_t n) { return adam_case(step, n); },
          [=](Stream& stream, const std::vector<test::UpdatePart>& parts, Inputs in, Outputs out) {
            std::vector<AdamUpdate> updates;
            for (const test::UpdatePart& part : parts) {
              const Outputs own = part.out(out);
              updates.push_back({step, part.in(in)[0], own[0], own[1], own[2], own[3], part.keep});
            }
            adam_update_all(stream, updates);
          });
    }
}

struct State {
  double first = 0, second = 0, largest = 0, weight = 1;

  void update(const AdamStep& step, double gradient) {
    Stream stream(Device::cpu);
    const Shape scalar{};
    adam_update(stream, step, {&gradient, scalar, DType::f64}, {&first, scalar, DType::f64},
                {&second, scalar, DType::f64}, {&largest, scalar, DType::f64}, {&weight, scalar, DType::f64});
  }
};

// Weight 1, gradients 0.5, -1, 0.25, an epsilon so large that its place shows.
void check_three_steps(OptimizerVariant variant, double first, double second, double third) {
  State state;
  AdamStep step{.learning_rate = 0.1, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 0.1, .variant = variant};
  state.update(step, 0.5);
  CHECK(state.first == doctest::Approx(0.05).epsilon(1e-12));
  CHECK(state.second == doctest::Approx(0.0025).epsilon(1e-12));
  CHECK(state.weight == doctest::Approx(first).epsilon(1e-12));
  step.step = 2;
  state.update(step, -1);
  CHECK(state.first == doctest::Approx(-0.055).epsilon(1e-12));
  CHECK(state.second == doctest::Approx(0.012475).epsilon(1e-12));
  CHECK(state.weight == doctest::Approx(second).epsilon(1e-12));
  step.step = 3;
  state.update(step, 0.25);
  CHECK(state.weight == doctest::Approx(third).epsilon(1e-12));
}

TEST_CASE("adam: steps computed by hand") {
  // keras, step 1: rate 0.1·sqrt(0.01)/0.1 = 0.1, times 0.05 / (0.05 + 0.1)
  check_three_steps(OptimizerVariant::keras, 1 - 0.1 / 3, 0.9859566621266095, 0.993240384159555);
  // pytorch, step 1: 0.1 · 0.5 / (0.5 + 0.1)
  check_three_steps(OptimizerVariant::pytorch, 1 - 0.05 / 0.6, 0.9491275952449797, 0.9610081696132199);
  State decayed;
  decayed.update({.l2 = 0.1}, 0.5);  // g = 0.6
  CHECK(decayed.first == doctest::Approx(0.06).epsilon(1e-12));
  CHECK(decayed.second == doctest::Approx(0.00036).epsilon(1e-12));
}

TEST_CASE("amsgrad divides by the largest second moment so far") {
  State state;
  AdamStep step{.learning_rate = 0.1,
                .beta1 = 0.9,
                .beta2 = 0.5,
                .epsilon = 0.1,
                .amsgrad = true,
                .variant = OptimizerVariant::pytorch};
  state.update(step, 1);
  CHECK(state.largest == doctest::Approx(0.5).epsilon(1e-12));
  CHECK(state.weight == doctest::Approx(1 - 0.1 / 1.1).epsilon(1e-12));
  step.step = 2;
  const double before = state.weight;
  state.update(step, 0);  // second falls to 0.25, the largest stays
  CHECK(state.second == doctest::Approx(0.25).epsilon(1e-12));
  CHECK(state.largest == doctest::Approx(0.5).epsilon(1e-12));
  CHECK(before - state.weight == doctest::Approx(0.1 * 0.09 / 0.19 / (std::sqrt(0.5 / 0.75) + 0.1)).epsilon(1e-12));
}

// Reddi, Kale and Kumar, ICLR 2018, with L2, written out again: two steps from a weight that is not 1.
TEST_CASE("amsgrad with l2: steps computed by the paper") {
  State state{.weight = 3};
  AdamStep step{.learning_rate = 0.1,
                .beta1 = 0.9,
                .beta2 = 0.6,
                .epsilon = 0.1,
                .l2 = 0.2,
                .amsgrad = true,
                .variant = OptimizerVariant::pytorch};
  double m = 0, v = 0, largest = 0, w = 3;
  for (const double gradient : {2.0, -8.0, 0.25}) {
    state.update(step, gradient);
    const double g = gradient + 0.2 * w, t = static_cast<double>(step.step++);
    m = 0.9 * m + 0.1 * g;
    v = 0.6 * v + 0.4 * g * g;
    largest = std::max(largest, v);
    w -= 0.1 * m / (1 - std::pow(0.9, t)) / (std::sqrt(largest / (1 - std::pow(0.6, t))) + 0.1);
    CHECK(state.first == doctest::Approx(m).epsilon(1e-12));
    CHECK(state.second == doctest::Approx(v).epsilon(1e-12));
    CHECK(state.largest == doctest::Approx(largest).epsilon(1e-12));
    CHECK(state.weight == doctest::Approx(w).epsilon(1e-12));
  }
  CHECK(v < largest);  // or the maximum would not show
}

TEST_CASE("adam shows a NaN and moves nothing where nothing pushes") {
  float gradient[] = {0, NAN}, first[] = {0, 0}, second[] = {0, 0}, weight[] = {1, 1};
  Stream stream(Device::cpu);
  const Shape two{2};
  adam_update(stream, {}, {gradient, two}, {first, two}, {second, two}, {}, {weight, two});
  CHECK(weight[0] == 1.0f);
  CHECK(std::isnan(weight[1]));
}

TEST_CASE("adam: errors and cost") {
  float x[4] = {};
  Stream stream(Device::cpu);
  const View good{x, Shape{4}}, other{x, Shape{3}};
  CHECK_THROWS_WITH_AS(adam_update(stream, {}, other, good, good, {}, good),
                       "adam_update: gradient is (3), expected (4)", Error);
  CHECK_THROWS_WITH_AS(adam_update(stream, {}, good, good, other, {}, good),
                       "adam_update: second_moment is (3), expected (4)", Error);
  CHECK_THROWS_WITH_AS(adam_update(stream, {.step = 0}, good, good, good, {}, good),
                       "adam_update: step is 0, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(adam_update(stream, {.beta2 = 1}, good, good, good, {}, good),
                       "adam_update: beta2 is 1, expected 0 <= beta2 < 1", Error);
  CHECK_THROWS_WITH_AS(adam_update(stream, {.amsgrad = true}, good, good, good, other, good),
                       "adam_update: largest_second_moment is (3), expected (4)", Error);
  const AdamUpdate plain{{}, good, good, good, {}, good}, amsgrad{{.amsgrad = true}, good, good, good, good, good};
  CHECK_THROWS_WITH_AS(adam_update_all(stream, std::vector{plain, amsgrad}),
                       "adam_update_all: some steps have amsgrad, others have not", Error);
  AdamUpdate elsewhere = plain;
  for (View* view : {&elsewhere.first_moment, &elsewhere.second_moment, &elsewhere.weight}) view->device = Device::simt;
  elsewhere.gradient.device = Device::simt;
  CHECK_THROWS_WITH_AS(adam_update_all(stream, std::vector{plain, elsewhere}),
                       "adam_update_all: mixes memory of cpu and simt", Error);
  adam_update_all(stream, {});
  CHECK(adam_update_cost(10, 4) == Cost{120, 280});
}

}  // namespace
}  // namespace melgrad
