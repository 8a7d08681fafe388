#include "kernels/rmsprop.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/reference/rmsprop.h"
#include "tests/kernels/optimizer_case.h"

namespace melgrad {
namespace {

using test::all_variants;
using test::copy_state;
using test::Inputs;
using test::OperationCase;
using test::Outputs;

// Inputs gradient, square, mean, velocity, weight; outputs the last four, updated in place.
OperationCase rmsprop_case(const RmspropStep& step, int64_t n) {
  OperationCase operation;
  operation.name = fmt::format("rmsprop_update {} momentum={} centred={} l2={} n={}", name_of(step.variant),
                               step.momentum, step.centred, step.l2, n);
  // 1 to 2 for the squares, -0.1 to 0.1 for the means: the difference of the centred form stays away from 0.
  const auto squares = [](Generator& random, bool) { return random.uniform(1, 2); };
  const auto means = [](Generator& random, bool) { return random.uniform(-0.1, 0.1); };
  const auto gradients = [](Generator& random, bool) { return random.uniform(-0.5, 0.5); };
  operation.inputs = {{Shape{n}, gradients}, {Shape{n}, squares}, {Shape{n}, means}, {Shape{n}}, {Shape{n}}};
  operation.outputs = {{Shape{n}}, {Shape{n}}, {Shape{n}}, {Shape{n}}};
  operation.run = [=](Stream& stream, Inputs in, Outputs out) {
    copy_state(in, out);
    rmsprop_update(stream, step, in[0], out[0], out[1], out[2], out[3]);
  };
  operation.reference = [=](Inputs in, Outputs out) {
    copy_state(in, out);
    reference::rmsprop_update<double>(step, in[0], out[0], out[1], out[2], out[3]);
  };
  // With absolute inputs and the rate negated, every term of the formulas adds up.
  operation.magnitude = [=](Inputs in, Outputs out) {
    copy_state(in, out);
    Buffer gradient = arena(Device::cpu).allocate(n * 8);
    for (int64_t i = 0; i < n; ++i) {
      static_cast<double*>(gradient.data())[i] = std::abs(in[0].as<double>()[i]);
      out[1].as<double>()[i] = std::abs(in[2].as<double>()[i]);
      const double velocity = std::abs(in[3].as<double>()[i]);
      out[2].as<double>()[i] = step.variant == OptimizerVariant::keras ? -velocity : velocity;
      out[3].as<double>()[i] = std::abs(in[4].as<double>()[i]);
    }
    RmspropStep all_added = step;
    all_added.learning_rate = -step.learning_rate;
    reference::rmsprop_update<double>(all_added, {gradient.data(), Shape{n}, DType::f64}, out[0], out[1], out[2],
                                      out[3]);
    for (int64_t i = 0; i < n; ++i) out[2].as<double>()[i] = std::abs(out[2].as<double>()[i]);
  };
  operation.reduction_length = 8;
  return operation;
}

TEST_CASE("rmsprop agrees with the reference") {
  for (OptimizerVariant variant : all_variants)
    for (bool centred : {false, true})
      for (double momentum : {0.0, 0.9})
        for (double l2 : {0.0, 0.01})
          for (int64_t n : {0, 1, 3, 31, 257, 20'011})
            test::check(rmsprop_case(
                {.learning_rate = 0.1, .momentum = momentum, .centred = centred, .l2 = l2, .variant = variant}, n));
  test::check(rmsprop_case({.learning_rate = 0.1, .momentum = 1}, 31));  // a velocity that never fades
}

TEST_CASE("rmsprop of several parameters at once: the bits of each alone") {
  for (double momentum : {0.0, 0.9})
    for (bool centred : {false, true}) {
      const RmspropStep step{.learning_rate = 0.1, .momentum = momentum, .centred = centred, .l2 = 0.01};
      test::check_updated_together(
          fmt::format("rmsprop_update_all momentum={} centred={}", momentum, centred),
          [=](int64_t n) { return rmsprop_case(step, n); },
          [=](Stream& stream, const std::vector<test::UpdatePart>& parts, Inputs in, Outputs out) {
            std::vector<RmspropUpdate> updates;
            for (const test::UpdatePart& part : parts) {
              const Outputs own = part.out(out);
              updates.push_back({step, part.in(in)[0], own[0], own[1], own[2], own[3], part.keep});
            }
            rmsprop_update_all(stream, updates);
          });
    }
}

TEST_CASE("rmsprop: two steps computed by hand, with rates 0.1 and then 0.2") {
  const struct {
    OptimizerVariant variant;
    bool centred;
    double first, second;
  } expected[] = {{OptimizerVariant::keras, false, 0.8143046618229481, 1.0824919386596417},
                  {OptimizerVariant::keras, true, 0.7903430326556163, 1.0618289145458732},
                  {OptimizerVariant::pytorch, false, 0.8076923076923077, 0.9758343621237843},
                  {OptimizerVariant::pytorch, true, 0.7792556376845434, 0.9344667363208354}};
  Stream stream(Device::cpu);
  const auto view = [](double& x) { return View{&x, Shape{}, DType::f64}; };
  for (const auto& e : expected) {
    double square = 0, mean = 0, velocity = 0, weight = 1, gradient = 0.5;
    RmspropStep step{.learning_rate = 0.1,
                     .rho = 0.75,
                     .momentum = 0.5,
                     .centred = e.centred,
                     .epsilon = 0.01,
                     .variant = e.variant};
    rmsprop_update(stream, step, view(gradient), view(square), view(mean), view(velocity), view(weight));
    CHECK(weight == doctest::Approx(e.first).epsilon(1e-12));
    step.learning_rate = 0.2;
    gradient = -1;
    rmsprop_update(stream, step, view(gradient), view(square), view(mean), view(velocity), view(weight));
    CHECK(weight == doctest::Approx(e.second).epsilon(1e-12));
  }
  double square = 0, weight = 1, gradient = 0.5;  // g = 0.6
  rmsprop_update(stream, {.learning_rate = 0.1, .rho = 0.75, .epsilon = 0.01, .l2 = 0.1}, view(gradient), view(square),
                 {}, {}, view(weight));
  CHECK(weight == doctest::Approx(0.8102633403898972).epsilon(1e-12));
}

TEST_CASE("rmsprop: errors and cost") {
  float x[4] = {};
  Stream stream(Device::cpu);
  const View good{x, Shape{4}}, other{x, Shape{3}};
  CHECK_THROWS_WITH_AS(rmsprop_update(stream, {}, other, good, {}, {}, good),
                       "rmsprop_update: gradient is (3), expected (4)", Error);
  CHECK_THROWS_WITH_AS(rmsprop_update(stream, {.centred = true}, good, good, other, {}, good),
                       "rmsprop_update: mean is (3), expected (4)", Error);
  CHECK_THROWS_WITH_AS(rmsprop_update(stream, {.momentum = 0.5}, good, good, {}, other, good),
                       "rmsprop_update: velocity is (3), expected (4)", Error);
  CHECK_THROWS_AS(rmsprop_update(stream, {.rho = 1}, good, good, {}, {}, good), Error);
  CHECK(rmsprop_update_cost(10, 4) == Cost{90, 200});
}

}  // namespace
}  // namespace melgrad
