#include "kernels/matmul.h"

#include <algorithm>

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const MatmulFunctions matmul_functions;
}
namespace simt {
extern const MatmulFunctions matmul_functions;
}

namespace {

const MatmulFunctions& functions(Device device) {
  return functions_for("matmul", device, &cpu::matmul_functions, &simt::matmul_functions);
}

}  // namespace

std::span<const MatmulAlgorithm> matmul_algorithms(Device device) {
  return functions(device).algorithms;
}

void matmul(Stream& stream, const MatmulProblem& problem, ConstView a, ConstView b, View c, MatmulAlgorithm algorithm) {
  expect_alike("matmul", a, b, c);
  expect_shape("matmul", "a", a, problem.a_shape());
  expect_shape("matmul", "b", b, problem.b_shape());
  expect_shape("matmul", "c", c, problem.c_shape());
  const MatmulFunctions& device = functions(a.device);
  expect_algorithm("matmul", algorithm, device.algorithms, a.device);
  device.run(stream, problem, a, b, c, algorithm);
}

}  // namespace melgrad
