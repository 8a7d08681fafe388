#include "kernels/gru.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/reference/gru.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

std::vector<GruProblem> problems() {
  std::vector<GruProblem> all;
  const int64_t sizes[][3] = {{2, 3, 4},  {1, 1, 1}, {5, 7, 3},  {9, 2, 17},
                              {21, 2, 3}, {0, 3, 2}, {1, 17, 3},  // one step more than a tile of the kernel's gradient
                              {43, 6, 2}};                        // two steps more than a block of it
  for (const auto& [n, t, u] : sizes)
    for (bool reset_after : {false, true})
      for (Activation gates : {Activation::sigmoid, Activation::hard_sigmoid, Activation::hard_sigmoid_keras1})
        all.push_back({n, t, u, reset_after, gates});
  return all;
}

std::string describe(const GruProblem& p) {
  return fmt::format(" n {} t {} u {} {} {}", p.n, p.t, p.u, p.reset_after ? "reset after" : "reset before",
                     name_of(p.recurrent_activation));
}

// Numbers small enough for the hard gates to be between their ends.
test::FillFunction small_values() {
  return [](Generator& random, bool) { return 0.5 * random.normal(); };
}

void constant_magnitude(Outputs out, double value) {
  for (const View& view : out)
    if (view.dtype == DType::f64) std::fill_n(view.as<double>(), view.numel(), value);
}

TEST_CASE("gru agrees with the reference") {
  for (const GruProblem& p : problems()) {
    OperationCase both;
    both.name = "gru_backward" + describe(p);
    both.inputs = {{p.input_shape(), small_values()},
                   {p.kernel_shape(), small_values()},
                   {p.bias_shape(), small_values()},
                   {p.state_shape(), small_values()}};
    both.outputs = {{p.state_shape()}, {p.gates_shape()}, {p.input_shape()}, {p.kernel_shape()}, {p.bias_shape()}};
    both.run = [=](Stream& s, Inputs in, Outputs out) {
      gru_forward(s, p, in[0], in[1], in[2], out[0], out[1]);
      gru_backward(s, p, in[1], out[0], out[1], in[3], out[2], out[3], out[4]);
    };
    both.reference = [=](Inputs in, Outputs out) {
      reference::gru_forward<double>(p, in[0], in[1], in[2], out[0], out[1]);
      reference::gru_backward<double>(p, in[1], out[0], out[1], in[3], out[2], out[3], out[4]);
    };
    // Every value is of size one; errors go through t steps of u sums, the weight gradient's through n t of them.
    both.magnitude = [=](Inputs, Outputs out) { constant_magnitude(out, static_cast<double>(p.n * p.t * p.u)); };
    both.reduction_length = 8;
    test::check(both);

    OperationCase forward = both;
    forward.name = "gru_forward" + describe(p);
    forward.inputs.pop_back();
    forward.outputs.resize(2);
    forward.run = [=](Stream& s, Inputs in, Outputs out) { gru_forward(s, p, in[0], in[1], in[2], out[0], out[1]); };
    forward.reference = [=](Inputs in, Outputs out) {
      reference::gru_forward<double>(p, in[0], in[1], in[2], out[0], out[1]);
    };
    test::check(forward);
  }
}

TEST_CASE("gru: gradients through time") {
  for (const GruProblem& p : problems()) {
    if (p.n > 5) continue;
    test::GradientCase gradient;
    gradient.name = "gru" + describe(p);
    gradient.proves = {"gru_backward"};
    gradient.inputs = {
        {p.input_shape(), small_values()}, {p.kernel_shape(), small_values()}, {p.bias_shape(), small_values()}};
    gradient.outputs = {{p.state_shape()}, {p.gates_shape()}};
    gradient.forward = [=](Stream& s, Inputs in, Outputs out) {
      gru_forward(s, p, in[0], in[1], in[2], out[0], out[1]);
    };
    gradient.backward = [=](Stream& s, Inputs in, Outputs out, ConstView dy, Outputs gradients) {
      gru_backward(s, p, in[1], out[0], out[1], dy, gradients[0], gradients[1], gradients[2]);
    };
    test::check_gradient(gradient);
  }
}

// One unit, two steps, with the formula written out.
TEST_CASE("gru by hand") {
  const double a[] = {0.1, -0.2, 0.3, 0.5, 0.4, -0.6}, u[] = {0.7, -0.8, 0.9}, b[] = {0.05, 0.15, -0.25};
  const auto s = [](double x) { return 1 / (1 + std::exp(-x)); };
  for (bool reset_after : {false, true}) {
    double h = 0;
    for (int step = 0; step < 2; ++step) {
      const double* at = a + 3 * step;
      const double bias = reset_after ? 1 : 0;
      const double z = s(at[0] + h * u[0] + bias * b[0]), r = s(at[1] + h * u[1] + bias * b[1]);
      const double g = std::tanh(reset_after ? at[2] + r * (h * u[2] + b[2]) : at[2] + r * h * u[2]);
      h = z * h + (1 - z) * g;
    }
    const GruProblem p{1, 2, 1, reset_after};
    double state[2], gates[8];
    Stream stream(Device::cpu);
    const auto in = [](const double* data, const Shape& shape) { return ConstView{data, shape, DType::f64}; };
    gru_forward(stream, p, in(a, p.input_shape()), in(u, p.kernel_shape()), in(b, p.bias_shape()),
                {state, p.state_shape(), DType::f64}, {gates, p.gates_shape(), DType::f64});
    CHECK(state[1] == doctest::Approx(h).epsilon(1e-14));
  }
}

TEST_CASE("gru: errors and cost") {
  Stream stream(Device::cpu);
  float x[3] = {}, y[4];
  const GruProblem p{1, 1, 1, true, Activation::relu};
  CHECK_THROWS_WITH_AS(gru_forward(stream, p, {x, p.input_shape()}, {x, p.kernel_shape()}, {x, p.bias_shape()},
                                   {y, p.state_shape()}, {y, p.gates_shape()}),
                       "gru_forward: recurrent activation relu, expected sigmoid, hard_sigmoid or hard_sigmoid_keras1",
                       Error);
  CHECK(gru_forward_cost({2, 3, 4}, 4).flops == 6 * (96 + 80));
}

}  // namespace
}  // namespace melgrad
