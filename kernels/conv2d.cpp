#include "kernels/conv2d.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const Conv2dFunctions conv2d_functions;
}
namespace simt {
extern const Conv2dFunctions conv2d_functions;
}

namespace {

const Conv2dFunctions& functions(Device device) {
  return functions_for("conv2d", device, &cpu::conv2d_functions, &simt::conv2d_functions);
}

// The checks of all directions: `x` stands for x or dx, `y` for y or dy. `automatic` becomes the algorithm it stands for.
const Conv2dFunctions& checked(const char* operation, const Conv2dProblem& problem, const ConstView& x,
                               const ConstView& weight, const ConstView& y, ConvAlgorithm& algorithm) {
  require(problem.n >= 0 && problem.c >= 1 && problem.o >= 1, "{}: {} samples, {} channels in, {} out", operation,
          problem.n, problem.c, problem.o);
  require(problem.groups >= 1 && problem.c % problem.groups == 0 && problem.o % problem.groups == 0,
          "{}: {} groups; expected a number that divides {} channels in and {} out", operation, problem.groups,
          problem.c, problem.o);
  expect_window(operation, "height", problem.rows, problem.h);
  expect_window(operation, "width", problem.columns, problem.w);
  expect_alike(operation, x, weight, y);
  expect_shape(operation, "x", x, problem.x_shape());
  expect_shape(operation, "weight", weight, problem.weight_shape());
  expect_shape(operation, "y", y, problem.y_shape());
  const Conv2dFunctions& device = functions(x.device);
  expect_algorithm(operation, algorithm, device.algorithms, x.device);
  if (algorithm == ConvAlgorithm::automatic) algorithm = device.automatic(problem);
  require(device.supports(problem, algorithm),
          "{}: '{}' does not compute {}x{} kernels with stride {}x{}, dilation {}x{}, {} groups", operation,
          name_of(algorithm), problem.rows.size, problem.columns.size, problem.rows.stride, problem.columns.stride,
          problem.rows.dilation, problem.columns.dilation, problem.groups);
  return device;
}

}  // namespace

std::span<const ConvAlgorithm> conv2d_algorithms(Device device) {
  return functions(device).algorithms;
}

std::vector<ConvAlgorithm> conv2d_algorithms(Device device, const Conv2dProblem& problem) {
  std::vector<ConvAlgorithm> able;
  for (ConvAlgorithm algorithm : conv2d_algorithms(device))
    if (functions(device).supports(problem, algorithm)) able.push_back(algorithm);
  return able;
}

ConvAlgorithm conv2d_automatic(Device device, const Conv2dProblem& problem) {
  return functions(device).automatic(problem);
}

void conv2d_forward(Stream& stream, const Conv2dProblem& problem, ConstView x, ConstView weight, View y,
                    ConvAlgorithm algorithm) {
  const Conv2dFunctions& device = checked("conv2d_forward", problem, x, weight, y, algorithm);
  device.forward(stream, problem, x, weight, y, algorithm);
}

void conv2d_backward_data(Stream& stream, const Conv2dProblem& problem, ConstView dy, ConstView weight, View dx,
                          ConvAlgorithm algorithm) {
  const Conv2dFunctions& device = checked("conv2d_backward_data", problem, dx, weight, dy, algorithm);
  device.backward_data(stream, problem, dy, weight, dx, algorithm);
}

void conv2d_backward_weight(Stream& stream, const Conv2dProblem& problem, ConstView dy, ConstView x, View dweight,
                            ConvAlgorithm algorithm) {
  const Conv2dFunctions& device = checked("conv2d_backward_weight", problem, x, dweight, dy, algorithm);
  device.backward_weight(stream, problem, dy, x, dweight, algorithm);
}

}  // namespace melgrad
