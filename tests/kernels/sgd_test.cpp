#include "kernels/sgd.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/reference/sgd.h"
#include "tests/kernels/optimizer_case.h"

namespace melgrad {
namespace {

using test::all_variants;
using test::copy_state;
using test::Inputs;
using test::OperationCase;
using test::Outputs;

// Inputs gradient, velocity, weight; outputs velocity, weight, updated in place.
OperationCase sgd_case(const SgdStep& step, int64_t n) {
  OperationCase operation;
  operation.name = fmt::format("sgd_update {} momentum={} nesterov={} l2={} n={}", name_of(step.variant), step.momentum,
                               step.nesterov, step.l2, n);
  operation.inputs = {{Shape{n}}, {Shape{n}}, {Shape{n}}};
  operation.outputs = {{Shape{n}}, {Shape{n}}};
  operation.run = [=](Stream& stream, Inputs in, Outputs out) {
    copy_state(in, out);
    sgd_update(stream, step, in[0], out[0], out[1]);
  };
  operation.reference = [=](Inputs in, Outputs out) {
    copy_state(in, out);
    reference::sgd_update<double>(step, in[0], out[0], out[1]);
  };
  // With absolute inputs and the rate negated, every term of the formulas adds up.
  operation.magnitude = [=](Inputs in, Outputs out) {
    Buffer gradient = arena(Device::cpu).allocate(n * 8);
    for (int64_t i = 0; i < n; ++i) {
      static_cast<double*>(gradient.data())[i] = std::abs(in[0].as<double>()[i]);
      out[0].as<double>()[i] = std::abs(in[1].as<double>()[i]);
      out[1].as<double>()[i] = std::abs(in[2].as<double>()[i]);
    }
    SgdStep all_added = step;
    all_added.learning_rate = -step.learning_rate;
    reference::sgd_update<double>(all_added, {gradient.data(), Shape{n}, DType::f64}, out[0], out[1]);
  };
  operation.reduction_length = 4;
  return operation;
}

TEST_CASE("sgd agrees with the reference") {
  for (OptimizerVariant variant : all_variants)
    for (bool nesterov : {false, true})
      for (double momentum : {0.0, 0.9})
        for (double decay : {0.0, 0.01})
          for (int64_t n : {0, 1, 3, 31, 257, 20'011})
            test::check(sgd_case({0.1, momentum, nesterov, decay, variant}, n));
  test::check(sgd_case({0.1, 1.0, false, 0.01, OptimizerVariant::pytorch}, 31));  // a velocity that never fades
}

TEST_CASE("sgd of several parameters at once: the bits of each alone") {
  for (OptimizerVariant variant : all_variants)
    for (double momentum : {0.0, 0.9}) {
      const SgdStep step{0.1, momentum, momentum != 0, 0.01, variant};
      test::check_updated_together(
          fmt::format("sgd_update_all {} momentum={}", name_of(variant), momentum),
          [=](int64_t n) { return sgd_case(step, n); },
          [=](Stream& stream, const std::vector<test::UpdatePart>& parts, Inputs in, Outputs out) {
            std::vector<SgdUpdate> updates;
            for (const test::UpdatePart& part : parts)
              updates.push_back({step, part.in(in)[0], part.out(out)[0], part.out(out)[1], part.keep});
            sgd_update_all(stream, updates);
          });
    }
}

TEST_CASE("sgd on a GPU: memory that does not start at 16 bytes") {
  constexpr int64_t n = 5000;
  std::vector<float> values(n + 1), results[2];
  for (int64_t i = 0; i <= n; ++i) values[static_cast<std::size_t>(i)] = static_cast<float>(i % 37) - 18;
  Stream stream(Device::simt);
  for (int64_t offset : {0, 1}) {
    const Buffer gradient = stream.workspace(4 * (n + 1)), weight = stream.workspace(4 * (n + 1));
    const auto view = [&](const Buffer& buffer) {
      return View{static_cast<float*>(buffer.data()) + offset, Shape{n}, DType::f32, Device::simt};
    };
    copy(ConstView{values.data(), Shape{n}}, view(gradient));
    copy(ConstView{values.data() + 1, Shape{n}}, view(weight));
    sgd_update(stream, {}, view(gradient), {}, view(weight));
    results[offset].resize(n);
    copy(view(weight), View{results[offset].data(), Shape{n}});
  }
  CHECK(results[0] == results[1]);
}

struct State {
  double velocity = 0, weight = 1;

  void update(const SgdStep& step, double gradient) {
    Stream stream(Device::cpu);
    sgd_update(stream, step, {&gradient, Shape{}, DType::f64}, {&velocity, Shape{}, DType::f64},
               {&weight, Shape{}, DType::f64});
  }
};

// Two steps with gradient 0.5 from weight 1, momentum 0.9, rates 0.1 and then 0.2.
void check_two_steps(OptimizerVariant variant, bool nesterov, double first, double second) {
  State state;
  SgdStep step{0.1, 0.9, nesterov, 0, variant};
  state.update(step, 0.5);
  CHECK(state.weight == doctest::Approx(first).epsilon(1e-12));
  step.learning_rate = 0.2;
  state.update(step, 0.5);
  CHECK(state.weight == doctest::Approx(second).epsilon(1e-12));
}

TEST_CASE("sgd: steps computed by hand") {
  check_two_steps(OptimizerVariant::keras, false, 0.95, 0.805);    // v = -0.05, -0.145
  check_two_steps(OptimizerVariant::keras, true, 0.905, 0.6745);   // the same v
  check_two_steps(OptimizerVariant::pytorch, false, 0.95, 0.76);   // v = 0.5, 0.95
  check_two_steps(OptimizerVariant::pytorch, true, 0.905, 0.634);  // the same v
  State decayed;
  decayed.update({0.1, 0, false, 0.1}, 0.5);  // g = 0.5 + 0.1 · 1
  CHECK(decayed.weight == doctest::Approx(0.94).epsilon(1e-12));
  CHECK(decayed.velocity == 0);
  State of_three{.weight = 3};
  of_three.update({0.1, 0, false, 0.2}, 0.5);  // g = 0.5 + 0.2 · 3
  CHECK(of_three.weight == doctest::Approx(2.89).epsilon(1e-12));
  State with_momentum;
  with_momentum.update({0.1, 0.9, false, 0.1}, 0.5);
  CHECK(with_momentum.velocity == doctest::Approx(-0.06).epsilon(1e-12));
}

TEST_CASE("sgd without momentum needs no velocity, and shows a NaN") {
  float gradient[] = {1, NAN}, weight[] = {1, 1};
  Stream stream(Device::cpu);
  sgd_update(stream, {0.5}, {gradient, Shape{2}}, {}, {weight, Shape{2}});
  CHECK(weight[0] == 0.5f);
  CHECK(std::isnan(weight[1]));
}

TEST_CASE("sgd: errors and cost") {
  float x[4] = {};
  Stream stream(Device::cpu);
  const View good{x, Shape{4}}, other{x, Shape{3}};
  CHECK_THROWS_WITH_AS(sgd_update(stream, {0.1}, other, {}, good), "sgd_update: gradient is (3), expected (4)", Error);
  CHECK_THROWS_WITH_AS(sgd_update(stream, {0.1, 0.9}, good, other, good), "sgd_update: velocity is (3), expected (4)",
                       Error);
  CHECK_THROWS_WITH_AS(sgd_update(stream, {0.1, 1.5}, good, good, good), "sgd_update: momentum is 1.5, expected 0 to 1",
                       Error);
  CHECK_THROWS_WITH_AS(sgd_update(stream, {NAN}, good, {}, good), "sgd_update: learning rate is nan", Error);
  CHECK(sgd_update_cost(10, 4) == Cost{60, 200});
}

}  // namespace
}  // namespace melgrad
