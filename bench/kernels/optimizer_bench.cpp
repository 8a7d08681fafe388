// One optimizer step on as many parameters as the GTZAN network has.
#include "bench/kernels/operation_bench.h"
#include "kernels/adam.h"
#include "kernels/sgd.h"

namespace melgrad::bench {
namespace {

using test::Inputs;
using test::Outputs;

std::vector<BenchCase> cases() {
  constexpr int64_t n = 24'970;
  const Shape shape{n};
  // In place, over and over: there is no reference of the n-th step, so nothing is compared here. tests/ do.
  BenchCase sgd{{}, sgd_update_cost(n, 4)};
  sgd.operation.name = "sgd/momentum";
  sgd.operation.inputs = {{shape}};
  sgd.operation.outputs = {{shape}, {shape}};
  sgd.operation.run = [](Stream& stream, Inputs in, Outputs out) {
    sgd_update(stream, {.learning_rate = 1e-6, .momentum = 0.9}, in[0], out[0], out[1]);
  };
  BenchCase adam{{}, adam_update_cost(n, 4)};
  adam.operation.name = "adam";
  adam.operation.inputs = {{shape}};
  adam.operation.outputs = {{shape}, {shape}, {shape}};
  adam.operation.run = [](Stream& stream, Inputs in, Outputs out) {
    adam_update(stream, {.learning_rate = 1e-6}, in[0], out[0], out[1], {}, out[2]);
  };
  return {sgd, adam};
}

const OperationBench optimizers(cases);

}  // namespace
}  // namespace melgrad::bench
