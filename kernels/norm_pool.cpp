#include "kernels/norm_pool.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const NormPoolFunctions norm_pool_functions;
}
namespace simt {
extern const NormPoolFunctions norm_pool_functions;
}

namespace {

const NormPoolFunctions& functions(Device device) {
  return functions_for("norm_pool", device, &cpu::norm_pool_functions, &simt::norm_pool_functions);
}

void expect_problem(const char* operation, const NormPoolProblem& problem, const ConstView& y, const ConstView& z,
                    const ConstView& pooled, const ConstView& argmax) {
  const Pool2dProblem& p = problem.pool;
  require(problem.epsilon >= 0, "{}: epsilon is {}, expected at least 0", operation, problem.epsilon);
  require(norm_pool_applies(p), "{}: windows of {}x{}, stride {}x{}; expected stride = size, no padding, at most 256",
          operation, p.rows.size, p.columns.size, p.rows.stride, p.columns.stride);
  expect_window(operation, "height", p.rows, p.h);
  expect_window(operation, "width", p.columns, p.w);
  require(p.n >= 1, "{}: an empty batch has no statistics", operation);
  expect_shape(operation, "y", y, p.x_shape());
  expect_shape(operation, "z", z, p.y_shape());
  expect_shape(operation, "pooled", pooled, p.y_shape());
  expect_shape(operation, "argmax", argmax, p.y_shape());
  expect_dtype(operation, "argmax", argmax, DType::u8);
}

template <class... Views>
void expect_channels(const char* operation, int64_t channels, const Views&... views) {
  (expect_shape(operation, "a view of the channels", views, Shape{channels}), ...);
}

}  // namespace

bool norm_pool_applies(const Pool2dProblem& p) {
  const auto plain = [](const Window& window) {
    return window.stride == window.size && window.dilation == 1 && window.pad_before == 0 && window.pad_after == 0;
  };
  return plain(p.rows) && plain(p.columns) && p.rows.size * p.columns.size <= 256;
}

void norm_pool_forward(Stream& stream, const NormPoolProblem& problem, ConstView y, ConstView gamma, ConstView beta,
                       View z, View pooled, View argmax, View mean, View variance) {
  const char* operation = "norm_pool_forward";
  expect_alike(operation, y, gamma, beta, z, pooled, mean, variance);
  expect_problem(operation, problem, y, z, pooled, argmax);
  expect_channels(operation, problem.pool.c, gamma, beta, mean, variance);
  functions(y.device).forward(stream, problem, y, gamma, beta, z, pooled, argmax, mean, variance);
}

void norm_pool_backward(Stream& stream, const NormPoolProblem& problem, ConstView y, ConstView gamma, ConstView beta,
                        ConstView mean, ConstView variance, ConstView pooled, ConstView argmax, ConstView dz, View dy,
                        View dgamma, View dbeta) {
  const char* operation = "norm_pool_backward";
  expect_alike(operation, y, gamma, beta, mean, variance, pooled, dz, dy, dgamma, dbeta);
  expect_problem(operation, problem, y, dz, pooled, argmax);
  expect_shape(operation, "dy", dy, problem.pool.x_shape());
  expect_channels(operation, problem.pool.c, gamma, beta, mean, variance, dgamma, dbeta);
  functions(y.device).backward(stream, problem, y, gamma, beta, mean, variance, pooled, argmax, dz, dy, dgamma, dbeta);
}

}  // namespace melgrad
