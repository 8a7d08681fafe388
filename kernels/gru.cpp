#include "kernels/gru.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const GruFunctions gru_functions;
}
namespace simt {
extern const GruFunctions gru_functions;
}

namespace {

const GruFunctions& functions(Device device) {
  return functions_for("gru", device, &cpu::gru_functions, &simt::gru_functions);
}

void expect_problem(const char* operation, const GruProblem& p) {
  require(p.n >= 0 && p.t >= 1 && p.u >= 1, "{}: {} samples, {} steps, {} units", operation, p.n, p.t, p.u);
  const bool gate = p.recurrent_activation == Activation::sigmoid ||
                    p.recurrent_activation == Activation::hard_sigmoid ||
                    p.recurrent_activation == Activation::hard_sigmoid_keras1;
  require(gate, "{}: recurrent activation {}, expected sigmoid, hard_sigmoid or hard_sigmoid_keras1", operation,
          name_of(p.recurrent_activation));
}

}  // namespace

void gru_forward(Stream& stream, const GruProblem& problem, ConstView input, ConstView recurrent_kernel,
                 ConstView recurrent_bias, View state, View gates) {
  const char* operation = "gru_forward";
  expect_problem(operation, problem);
  expect_alike(operation, input, recurrent_kernel, recurrent_bias, state, gates);
  expect_shape(operation, "input", input, problem.input_shape());
  expect_shape(operation, "recurrent_kernel", recurrent_kernel, problem.kernel_shape());
  expect_shape(operation, "recurrent_bias", recurrent_bias, problem.bias_shape());
  expect_shape(operation, "state", state, problem.state_shape());
  expect_shape(operation, "gates", gates, problem.gates_shape());
  functions(input.device).forward(stream, problem, input, recurrent_kernel, recurrent_bias, state, gates);
}

void gru_backward(Stream& stream, const GruProblem& problem, ConstView recurrent_kernel, ConstView state,
                  ConstView gates, ConstView dstate, View dinput, View drecurrent_kernel, View drecurrent_bias) {
  const char* operation = "gru_backward";
  expect_problem(operation, problem);
  expect_alike(operation, recurrent_kernel, state, gates, dstate, dinput, drecurrent_kernel, drecurrent_bias);
  expect_shape(operation, "recurrent_kernel", recurrent_kernel, problem.kernel_shape());
  expect_shape(operation, "state", state, problem.state_shape());
  expect_shape(operation, "gates", gates, problem.gates_shape());
  expect_shape(operation, "dstate", dstate, problem.state_shape());
  expect_shape(operation, "dinput", dinput, problem.input_shape());
  expect_shape(operation, "drecurrent_kernel", drecurrent_kernel, problem.kernel_shape());
  expect_shape(operation, "drecurrent_bias", drecurrent_bias, problem.bias_shape());
  functions(state.device)
      .backward(stream, problem, recurrent_kernel, state, gates, dstate, dinput, drecurrent_kernel, drecurrent_bias);
}

}  // namespace melgrad
