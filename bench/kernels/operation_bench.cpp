#include "bench/kernels/operation_bench.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>

#include "bench/counters.h"
#include "bench/operation_arrays.h"
#include "bench/stopwatch.h"

namespace melgrad::bench {
namespace {

using test::OperationCase;

// Against the reference, roughly: tests/ has the bounds. This is so that no wrong result is ever timed.
bool agrees(const OperationCase& operation) {
  if (!operation.reference) return true;
  const Arrays single = make_inputs(operation, DType::f32, Device::cpu),
               exact = make_inputs(operation, DType::f64, Device::cpu);
  const Arrays result = make_outputs(operation, DType::f32, Device::cpu),
               expected = make_outputs(operation, DType::f64, Device::cpu);
  Stream stream(Device::cpu);
  operation.run(stream, single.inputs(), result.views);
  operation.reference(exact.inputs(), expected.views);
  for (std::size_t o = 0; o < result.views.size(); ++o) {
    if (result.views[o].dtype != DType::f32) continue;
    double scale = 1e-30, worst = 0;
    for (int64_t i = 0; i < result.views[o].numel(); ++i) {
      const double truth = expected.views[o].as<double>()[i];
      const double difference = std::abs(result.views[o].as<float>()[i] - truth);
      scale = std::max(scale, std::abs(truth));
      worst = difference > worst || std::isnan(difference) ? difference : worst;
    }
    if (!(worst <= 1e-4 * scale)) return false;
  }
  return true;
}

void run(benchmark::State& state, const BenchCase& bench) {
  if (!agrees(bench.operation)) return state.SkipWithError("the result is wrong");
  const Arrays inputs = make_inputs(bench.operation, DType::f32, Device::cpu);
  const Arrays outputs = make_outputs(bench.operation, DType::f32, Device::cpu);
  const std::vector<ConstView> views = inputs.inputs();
  Stream stream(Device::cpu);
  const Stopwatch stopwatch;
  for (auto _ : state) {
    bench.operation.run(stream, views, outputs.views);
    benchmark::ClobberMemory();
  }
  add_counters(state, bench.cost, stopwatch.seconds());
}

}  // namespace

OperationBench::OperationBench(std::vector<BenchCase> (*cases)()) {
  for (const BenchCase& bench : cases()) {
    benchmark::RegisterBenchmark(("kernels/" + bench.operation.name).c_str(),
                                 [bench](benchmark::State& state) { run(state, bench); })
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace melgrad::bench
