#include "kernels/conv_block.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"
#include "kernels/first_block.h"
#include "kernels/norm_pool.h"

namespace melgrad {
namespace cpu {
extern const ConvBlockFunctions conv_block_functions;
}
namespace simt {
extern const ConvBlockFunctions conv_block_functions;
}

namespace {

const ConvBlockFunctions& functions(Device device) {
  return functions_for("conv_block", device, &cpu::conv_block_functions, &simt::conv_block_functions);
}

template <class... Views>
void expect_channels(const char* operation, int64_t channels, const Views&... views) {
  (expect_shape(operation, "a view of the channels", views, Shape{channels}), ...);
}

void expect_input(const char* operation, const BlockProblem& problem, const BlockInput& x) {
  const Shape expected = x.first != nullptr ? x.first->problem.conv.x_shape() : problem.conv.x_shape();
  expect_shape(operation, "x", x.values, expected);
  if (x.norm != nullptr) {
    expect_alike(operation, x.values, x.norm->center, x.norm->scale, x.norm->shift);
    expect_channels(operation, problem.conv.c, x.norm->center, x.norm->scale, x.norm->shift);
  }
  if (x.first == nullptr) return;
  require(x.norm == nullptr, "{}: x has both a norm and a first block before it", operation);
  const FirstBlockInput& f = *x.first;
  if (!conv_block_reads_first(x.values.device, problem, f.problem))
    fail("{}: cannot read a first block from {} to {} as it computes it", operation,
         f.problem.conv.x_shape().to_string(), f.problem.pool().y_shape().to_string());
  expect_alike(operation, x.values, f.weight, f.gamma, f.beta, f.mean, f.variance);
  expect_shape(operation, "the first block's weight", f.weight, f.problem.conv.weight_shape());
  expect_channels(operation, problem.conv.c, f.gamma, f.beta, f.mean, f.variance);
}

void expect_fused(const char* operation, const BlockProblem& problem, Device device) {
  require(problem.epsilon >= 0, "{}: epsilon is {}, expected at least 0", operation, problem.epsilon);
  if (conv_block_applies(device, problem)) return;
  fail("{}: {} with a weight {}, pool windows {}x{} and {} has no fused form on {}", operation,
       problem.conv.x_shape().to_string(), problem.conv.weight_shape().to_string(), problem.pool_rows.size,
       problem.pool_columns.size, name_of(problem.activation.function), name_of(device));
}

void expect_problem(const char* operation, const BlockProblem& problem, const BlockInput& x, const ConstView& weight) {
  expect_fused(operation, problem, x.values.device);
  expect_shape(operation, "weight", weight, problem.conv.weight_shape());
  expect_input(operation, problem, x);
}

void expect_argmax(const char* operation, const BlockProblem& problem, const ConstView& argmax) {
  require(problem.conv.n >= 1, "{}: an empty batch has no statistics", operation);
  expect_dtype(operation, "argmax", argmax, DType::u8);
  expect_shape(operation, "argmax", argmax, problem.pool().y_shape());
}

}  // namespace

bool conv_block_applies(Device device, const BlockProblem& problem) {
  return problem.own_statistics && problem.conv.groups == 1 && norm_pool_applies(problem.pool()) &&
         never_decreases(problem.activation.function) && functions(device).applies(problem);
}

bool conv_block_reads_first(Device device, const BlockProblem& problem, const BlockProblem& first) {
  return first_block_applies(first) && first.pool().y_shape() == problem.conv.x_shape() &&
         functions(device).reads_first(problem, first);
}

void conv_block_forward(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView weight,
                        ConstView gamma, ConstView beta, View y, View pooled, View argmax, View mean, View variance,
                        View scale, View shift) {
  const char* operation = "conv_block_forward";
  expect_alike(operation, x.values, weight, gamma, beta, y, pooled, mean, variance, scale, shift);
  expect_problem(operation, problem, x, weight);
  expect_channels(operation, problem.conv.o, gamma, beta, mean, variance, scale, shift);
  expect_shape(operation, "y", y, problem.conv.y_shape());
  expect_shape(operation, "pooled", pooled, problem.pool().y_shape());
  expect_argmax(operation, problem, argmax);
  functions(y.device).forward(stream, problem, x, weight, gamma, beta, y, pooled, argmax, mean, variance, scale, shift);
}

void conv_block_backward(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView weight,
                         ConstView gamma, const BlockState& state, ConstView dz, View dx, View dweight, View dgamma,
                         View dbeta) {
  const char* operation = "conv_block_backward";
  expect_alike(operation, x.values, weight, gamma, state.y, state.pooled, state.mean, state.variance, state.scale,
               state.shift, dz, dweight, dgamma, dbeta);
  expect_problem(operation, problem, x, weight);
  expect_channels(operation, problem.conv.o, gamma, state.mean, state.variance, state.scale, state.shift, dgamma,
                  dbeta);
  expect_shape(operation, "y", state.y, problem.conv.y_shape());
  expect_shape(operation, "pooled", state.pooled, problem.pool().y_shape());
  expect_shape(operation, "dz", dz, problem.pool().y_shape());
  expect_argmax(operation, problem, state.argmax);
  expect_shape(operation, "dweight", dweight, problem.conv.weight_shape());
  if (dx.data != nullptr) {
    expect_alike(operation, dz, dx);
    expect_shape(operation, "dx", dx, problem.conv.x_shape());
  }
  functions(dz.device).backward(stream, problem, x, weight, gamma, state, dz, dx, dweight, dgamma, dbeta);
}

int64_t conv_block_folded_size(Device device, const BlockProblem& problem) {
  return functions(device).folded_size(problem);
}

void conv_block_fold(Stream& stream, const BlockProblem& problem, ConstView weight, ConstView gamma, ConstView beta,
                     ConstView mean, ConstView variance, View folded) {
  const char* operation = "conv_block_fold";
  expect_alike(operation, weight, gamma, beta, mean, variance, folded);
  expect_fused(operation, problem, weight.device);
  expect_shape(operation, "weight", weight, problem.conv.weight_shape());
  expect_channels(operation, problem.conv.o, gamma, beta, mean, variance);
  expect_shape(operation, "folded", folded, {conv_block_folded_size(weight.device, problem)});
  functions(weight.device).fold(stream, problem, weight, gamma, beta, mean, variance, folded);
}

void conv_block_infer(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView folded, View z) {
  const char* operation = "conv_block_infer";
  expect_alike(operation, x.values, folded, z);
  expect_fused(operation, problem, z.device);
  expect_input(operation, problem, x);
  expect_shape(operation, "folded", folded, {conv_block_folded_size(z.device, problem)});
  expect_shape(operation, "z", z, problem.pool().y_shape());
  if (problem.conv.n > 0) functions(z.device).infer(stream, problem, x, folded, z);
}

}  // namespace melgrad
