#include "kernels/matmul.h"

#include <doctest/doctest.h>

#include "kernels/reference/matmul.h"
#include "tests/kernels/gradient_check.h"

namespace melgrad {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

TEST_CASE("matmul agrees with the reference on every device and algorithm") {
  const MatmulProblem sizes[] = {{1, 1, 1},     {2, 3, 4},    {32, 10, 32},  {32, 32, 240},  {7, 33, 13},
                                 {97, 31, 257}, {193, 65, 3}, {5, 300, 600}, {130, 129, 17}, {3, 2, 0},
                                 {0, 4, 3},     {4, 0, 3},    {13, 48, 16}};
  for (Device device : available_devices())
    for (const MatmulProblem& size : sizes)
      for (bool transpose_a : {false, true})
        for (bool transpose_b : {false, true})
          for (MatmulAlgorithm algorithm : matmul_algorithms(device)) {
            const MatmulProblem problem{size.m, size.n, size.k, transpose_a, transpose_b};
            OperationCase product;
            product.name = fmt::format("matmul m={} n={} k={} {}{}", size.m, size.n, size.k, transpose_a ? "aT" : "a",
                                       transpose_b ? "bT" : "b");
            product.algorithm = name_of(algorithm);
            product.inputs = {{problem.a_shape()}, {problem.b_shape()}};
            product.outputs = {{problem.c_shape()}};
            product.devices = {device};
            product.reduction_length = size.k;
            product.exact_on_integers = true;
            product.run = [=](Stream& stream, Inputs in, Outputs out) {
              // f64 is the reference's whatever is asked for.
              matmul(stream, problem, in[0], in[1], out[0], algorithm);
            };
            product.reference = [=](Inputs in, Outputs out) {
              reference::matmul<double>(problem, in[0], in[1], out[0]);
            };
            test::check(product);
          }
}

TEST_CASE("matmul by hand") {
  const float a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, 0, 1, 1, 1};
  float c[4];
  Stream stream(Device::cpu);
  matmul(stream, {2, 2, 3}, {a, {2, 3}}, {b, {3, 2}}, {c, {2, 2}});
  CHECK(c[0] == 4);
  CHECK(c[1] == 5);
  CHECK(c[2] == 10);
  CHECK(c[3] == 11);
}

TEST_CASE("matmul: errors and cost") {
  float a[6] = {}, b[6] = {}, c[4];
  Stream stream(Device::cpu);
  CHECK_THROWS_WITH_AS(matmul(stream, {2, 2, 3}, {a, {3, 2}}, {b, {3, 2}}, {c, {2, 2}}),
                       "matmul: a is (3, 2), expected (2, 3)", Error);
  CHECK_THROWS_WITH_AS(matmul(stream, {2, 2, 3}, {a, {2, 3}}, {b, {3, 2}}, {c, {2, 2}}, MatmulAlgorithm::tiled),
                       "matmul: device cpu has no algorithm 'tiled'", Error);
  CHECK(matmul_cost({2, 3, 4}, 4) == Cost{48, (8 + 12 + 6) * 4});
}

}  // namespace
}  // namespace melgrad
