#include "kernels/first_block.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"
#include "kernels/norm_pool.h"

namespace melgrad {
namespace cpu {
extern const FirstBlockFunctions first_block_functions;
}
namespace simt {
extern const FirstBlockFunctions first_block_functions;
}

namespace {

const FirstBlockFunctions& functions(Device device) {
  return functions_for("first_block", device, &cpu::first_block_functions, &simt::first_block_functions);
}

void expect_problem(const char* operation, const BlockProblem& problem, const ConstView& x, const ConstView& weight) {
  const Conv2dProblem& c = problem.conv;
  require(
      first_block_applies(problem),
      "{}: {} input channels, {} taps, pool windows {}x{} of stride {}x{}, {}; expected 1 channel, at most 16 taps, "
      "windows without overlap or padding and a function that never decreases",
      operation, c.c, c.taps(), problem.pool_rows.size, problem.pool_columns.size, problem.pool_rows.stride,
      problem.pool_columns.stride, name_of(problem.activation.function));
  require(problem.epsilon >= 0, "{}: epsilon is {}, expected at least 0", operation, problem.epsilon);
  expect_window(operation, "height", c.rows, c.h);
  expect_window(operation, "width", c.columns, c.w);
  expect_window(operation, "pooled height", problem.pool_rows, c.h_out());
  expect_window(operation, "pooled width", problem.pool_columns, c.w_out());
  expect_shape(operation, "x", x, c.x_shape());
  expect_shape(operation, "weight", weight, c.weight_shape());
}

template <class... Views>
void expect_channels(const char* operation, int64_t channels, const Views&... views) {
  (expect_shape(operation, "a view of the channels", views, Shape{channels}), ...);
}

void expect_moments(const char* operation, const BlockProblem& problem, const ConstView& moments) {
  expect_dtype(operation, "moments", moments, DType::f64);
  expect_shape(operation, "moments", moments, first_block_moments_shape(problem));
}

}  // namespace

bool first_block_applies(const BlockProblem& problem) {
  return problem.conv.c == 1 && problem.conv.groups == 1 && problem.conv.taps() <= 16 &&
         norm_pool_applies(problem.pool()) && never_decreases(problem.activation.function);
}

Shape first_block_moments_shape(const BlockProblem& problem) {
  return {1 + problem.conv.taps(), problem.conv.taps()};
}

void first_block_statistics(Stream& stream, const BlockProblem& problem, ConstView x, ConstView weight, View mean,
                            View variance, View moments) {
  const char* operation = "first_block_statistics";
  expect_alike(operation, x, weight, mean, variance);
  expect_problem(operation, problem, x, weight);
  expect_channels(operation, problem.conv.o, mean, variance);
  expect_moments(operation, problem, moments);
  require(problem.conv.n >= 1, "{}: an empty batch has no statistics", operation);
  functions(x.device).statistics(stream, problem, x, weight, mean, variance, moments);
}

void first_block_forward(Stream& stream, const BlockProblem& problem, ConstView x, ConstView weight, ConstView gamma,
                         ConstView beta, ConstView mean, ConstView variance, View z) {
  const char* operation = "first_block_forward";
  expect_alike(operation, x, weight, gamma, beta, mean, variance, z);
  expect_problem(operation, problem, x, weight);
  expect_channels(operation, problem.conv.o, gamma, beta, mean, variance);
  expect_shape(operation, "z", z, problem.pool().y_shape());
  if (problem.conv.n > 0) functions(x.device).forward(stream, problem, x, weight, gamma, beta, mean, variance, z);
}

void first_block_backward(Stream& stream, const BlockProblem& problem, ConstView x, ConstView weight, ConstView gamma,
                          ConstView beta, ConstView mean, ConstView variance, ConstView moments, ConstView dz, View dx,
                          View dweight, View dgamma, View dbeta) {
  const char* operation = "first_block_backward";
  expect_alike(operation, x, weight, gamma, beta, mean, variance, dz, dweight, dgamma, dbeta);
  expect_problem(operation, problem, x, weight);
  expect_channels(operation, problem.conv.o, gamma, beta, mean, variance, dgamma, dbeta);
  expect_moments(operation, problem, moments);
  expect_shape(operation, "dz", dz, problem.pool().y_shape());
  expect_shape(operation, "dweight", dweight, problem.conv.weight_shape());
  if (dx.data != nullptr) {
    expect_alike(operation, dz, dx);
    expect_shape(operation, "dx", dx, problem.conv.x_shape());
  }
  require(problem.conv.n >= 1, "{}: an empty batch has no statistics", operation);
  functions(x.device).backward(stream, problem, x, weight, gamma, beta, mean, variance, moments, dz, dx, dweight,
                               dgamma, dbeta);
}

}  // namespace melgrad
