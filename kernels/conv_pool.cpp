#include "kernels/conv_pool.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const ConvPoolFunctions conv_pool_functions;
}

namespace {

const ConvPoolFunctions* functions_or_none(Device device) {
  return device == Device::cpu ? &cpu::conv_pool_functions : nullptr;  // elsewhere it is its parts
}

// The checks of both directions; `z` stands for z or dz.
const ConvPoolFunctions& checked(const char* operation, const ConvPoolProblem& problem, const ConstView& x,
                                 const ConstView& weight, const ConstView& z, const ConstView& argmax) {
  const Conv2dProblem& c = problem.conv;
  require(c.n >= 0 && c.c >= 1 && c.o >= 1, "{}: {} samples, {} channels in, {} out", operation, c.n, c.c, c.o);
  expect_window(operation, "height", c.rows, c.h);
  expect_window(operation, "width", c.columns, c.w);
  expect_pool(operation, problem.pool());
  if (!conv_pool_applies(x.device, problem))
    fail("{}: {} with a weight {}, pool windows {}x{} and {} has no fused form on {}", operation,
         c.x_shape().to_string(), c.weight_shape().to_string(), problem.pool_rows.size, problem.pool_columns.size,
         name_of(problem.activation.function), name_of(x.device));
  expect_alike(operation, x, weight, z);
  expect_shape(operation, "x", x, c.x_shape());
  expect_shape(operation, "weight", weight, c.weight_shape());
  expect_shape(operation, "z", z, problem.pool().y_shape());
  if (argmax.data != nullptr) {
    require(problem.pools(), "{}: an argmax, but no pool", operation);
    expect_index(operation, "argmax", argmax, x.device);
    expect_shape(operation, "argmax", argmax, problem.pool().y_shape());
  }
  return *functions_or_none(x.device);
}

// A view that may be null.
void expect_if_there(const char* operation, const char* name, const ConstView& like, const ConstView& view,
                     const Shape& shape) {
  if (view.data == nullptr) return;
  expect_alike(operation, like, view);
  expect_shape(operation, name, view, shape);
}

}  // namespace

bool conv_pool_applies(Device device, const ConvPoolProblem& problem) {
  const ConvPoolFunctions* there = functions_or_none(device);
  return there != nullptr && there->applies(problem);
}

void conv_pool_forward(Stream& stream, const ConvPoolProblem& problem, ConstView x, ConstView weight, ConstView bias,
                       View z, View argmax) {
  const char* operation = "conv_pool_forward";
  const ConvPoolFunctions& device = checked(operation, problem, x, weight, z, argmax);
  expect_if_there(operation, "bias", x, bias, {problem.conv.o});
  device.forward(stream, problem, x, weight, bias, z, argmax);
}

void conv_pool_backward(Stream& stream, const ConvPoolProblem& problem, ConstView x, ConstView weight, ConstView z,
                        ConstView argmax, ConstView dz, View dx, View dweight, View dbias) {
  const char* operation = "conv_pool_backward";
  const ConvPoolFunctions& device = checked(operation, problem, x, weight, z, argmax);
  expect_alike(operation, x, dz, dweight);
  expect_shape(operation, "dz", dz, problem.pool().y_shape());
  expect_shape(operation, "dweight", dweight, problem.conv.weight_shape());
  expect_if_there(operation, "dx", x, dx, problem.conv.x_shape());
  expect_if_there(operation, "dbias", x, dbias, {problem.conv.o});
  require(!problem.pools() || argmax.data != nullptr || argmax.numel() == 0,
          "{}: a pool, but no argmax of its forward pass", operation);
  device.backward(stream, problem, x, weight, z, argmax, dz, dx, dweight, dbias);
}

}  // namespace melgrad
