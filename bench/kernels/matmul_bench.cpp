// Matrix products on the shapes of the reference networks' dense layers, every algorithm beside Eigen.
#include "bench/kernels/operation_bench.h"
#include "bench/peers/eigen.h"
#include "kernels/matmul.h"
#include "kernels/reference/matmul.h"

namespace melgrad::bench {
namespace {

using test::Inputs;
using test::OperationCase;
using test::Outputs;

std::vector<BenchCase> cases() {
  std::vector<BenchCase> cases;
  for (const MatmulProblem& p : {MatmulProblem{32, 32, 240}, {240, 32, 32, true}, {512, 512, 512}}) {
    const auto add = [&](std::string_view algorithm, std::function<void(Stream&, Inputs, Outputs)> run) {
      OperationCase operation;
      operation.name = fmt::format("matmul/{}x{}x{}/{}", p.m, p.n, p.k, algorithm);
      operation.inputs = {{p.a_shape()}, {p.b_shape()}};
      operation.outputs = {{p.c_shape()}};
      operation.run = std::move(run);
      operation.reference = [=](Inputs in, Outputs out) { reference::matmul<double>(p, in[0], in[1], out[0]); };
      cases.push_back({operation, matmul_cost(p, 4)});
    };
    for (MatmulAlgorithm algorithm : matmul_algorithms(bench_device()))
      add(name_of(algorithm),
          [=](Stream& stream, Inputs in, Outputs out) { matmul(stream, p, in[0], in[1], out[0], algorithm); });
    if (bench_device() != Device::cpu) continue;
    add("eigen", [=](Stream&, Inputs in, Outputs out) { eigen_matmul(p, in[0], in[1], out[0]); });
  }
  return cases;
}

const OperationBench products(cases);

}  // namespace
}  // namespace melgrad::bench
