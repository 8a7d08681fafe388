#include "bench/kernels/operation_bench.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>

#include "bench/counters.h"
#include "bench/operation_arrays.h"
#include "bench/stopwatch.h"
#include "kernels/memory.h"

namespace melgrad::bench {
namespace {

using test::OperationCase;

Device chosen_device = Device::cpu;

// Against the reference, roughly: tests/ has the bounds. This is so that no wrong result is ever timed.
bool agrees(const BenchCase& bench) {
  const OperationCase& operation = bench.operation;
  if (!operation.reference) return true;
  const Arrays single = make_inputs(operation, DType::f32, bench_device()),
               exact = make_inputs(operation, DType::f64, Device::cpu);
  const Arrays on_device = make_outputs(operation, DType::f32, bench_device()),
               expected = make_outputs(operation, DType::f64, Device::cpu);
  Stream stream(bench_device());
  operation.run(stream, single.inputs(), on_device.views);
  operation.reference(exact.inputs(), expected.views);
  const Arrays result = copied_to(Device::cpu, on_device);
  for (std::size_t o = 0; o < result.views.size(); ++o) {
    if (result.views[o].dtype != DType::f32) continue;
    double scale = 1e-30, worst = 0;
    for (int64_t i = 0; i < result.views[o].numel(); ++i) {
      const double truth = expected.views[o].as<double>()[i];
      const double difference = std::abs(result.views[o].as<float>()[i] - truth);
      scale = std::max(scale, std::abs(truth));
      worst = difference > worst || std::isnan(difference) ? difference : worst;
    }
    if (!(worst <= bench.bound * scale)) return false;
  }
  return true;
}

// A GPU runs behind: the time is that of several launches with one wait for the last of them.
double seconds_on_gpu(const BenchCase& bench, Stream& stream, const std::vector<ConstView>& inputs,
                      const Arrays& outputs) {
  constexpr int launches = 20;
  float element = 0;
  const ConstView first{outputs.views[0].data, Shape{1}, DType::f32, bench_device()};
  const View host{&element, Shape{1}};
  copy(first, host);
  const Stopwatch stopwatch;
  for (int i = 0; i < launches; ++i) bench.operation.run(stream, inputs, outputs.views);
  copy(first, host);
  return stopwatch.seconds() / launches;
}

void run(benchmark::State& state, const BenchCase& bench) {
  if (!agrees(bench)) return state.SkipWithError("the result is wrong");
  const Arrays inputs = make_inputs(bench.operation, DType::f32, bench_device());
  const Arrays outputs = make_outputs(bench.operation, DType::f32, bench_device());
  const std::vector<ConstView> views = inputs.inputs();
  Stream stream(bench_device());
  if (bench_device() != Device::cpu) {
    double seconds = 0;
    for (auto _ : state) {
      const double once = seconds_on_gpu(bench, stream, views, outputs);
      state.SetIterationTime(once);
      seconds += once;
    }
    return add_rates(state, bench.cost, seconds);
  }
  const Stopwatch stopwatch;
  for (auto _ : state) {
    bench.operation.run(stream, views, outputs.views);
    benchmark::ClobberMemory();
  }
  add_counters(state, bench.cost, stopwatch.seconds());
}

void run_or_skip(benchmark::State& state, const BenchCase& bench) {
  try {
    run(state, bench);
  } catch (const Error& error) {
    state.SkipWithError(error.what());
  }
}

using Cases = std::vector<BenchCase> (*)();
std::vector<Cases>& all_cases() {
  static std::vector<Cases> all;
  return all;
}

}  // namespace

OperationBench::OperationBench(Cases cases) {
  all_cases().push_back(cases);
}

Device bench_device() {
  return chosen_device;
}

void register_operations(Device device) {
  chosen_device = device;
  for (const Cases cases : all_cases()) {
    for (const BenchCase& bench : cases()) {
      benchmark::internal::Benchmark* registered = benchmark::RegisterBenchmark(
          ("kernels/" + bench.operation.name).c_str(), [bench](benchmark::State& state) { run_or_skip(state, bench); });
      registered->Unit(benchmark::kMicrosecond);
      device == Device::cpu ? registered->UseRealTime() : registered->UseManualTime();
    }
  }
}

}  // namespace melgrad::bench
