#include "bench/kernels/operation_bench.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>

#include "bench/counters.h"
#include "bench/stopwatch.h"
#include "kernels/arena.h"
#include "kernels/memory.h"

namespace melgrad::bench {
namespace {

using test::OperationCase;

struct Arrays {
  std::vector<Buffer> buffers;
  std::vector<View> views;

  void add(const Shape& shape, DType dtype) {
    View view{nullptr, shape, dtype, Device::cpu};
    buffers.push_back(arena(Device::cpu).allocate(view.bytes()));
    view.data = buffers.back().data();
    views.push_back(view);
  }
  std::vector<ConstView> inputs() const { return {views.begin(), views.end()}; }
};

template <class T>
void draw(const test::InputSpec& spec, uint32_t stream, const View& view) {
  Generator random(1, Draw::test, stream);
  T* values = view.as<T>();
  for (int64_t i = 0; i < view.numel(); ++i) values[i] = static_cast<T>(static_cast<float>(spec.fill(random, false)));
}

Arrays make_inputs(const OperationCase& operation, DType dtype) {
  Arrays arrays;
  for (const test::InputSpec& spec : operation.inputs) {
    const auto stream = static_cast<uint32_t>(arrays.views.size());
    arrays.add(spec.shape, spec.is_index ? DType::i32 : dtype);
    if (spec.is_index) {
      draw<int32_t>(spec, stream, arrays.views.back());
    } else {
      dtype == DType::f64 ? draw<double>(spec, stream, arrays.views.back())
                          : draw<float>(spec, stream, arrays.views.back());
    }
  }
  return arrays;
}

Arrays make_outputs(const OperationCase& operation, DType dtype) {
  Arrays arrays;
  for (const test::OutputSpec& spec : operation.outputs) {
    arrays.add(spec.shape, spec.dtype == DType::f32 ? dtype : spec.dtype);
    fill(arrays.views.back(), 0);  // an optimizer's state starts so
  }
  return arrays;
}

// Against the reference, roughly: tests/ has the bounds. This is so that no wrong result is ever timed.
bool agrees(const OperationCase& operation) {
  if (!operation.reference) return true;
  const Arrays single = make_inputs(operation, DType::f32), exact = make_inputs(operation, DType::f64);
  const Arrays result = make_outputs(operation, DType::f32), expected = make_outputs(operation, DType::f64);
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
  const Arrays inputs = make_inputs(bench.operation, DType::f32);
  const Arrays outputs = make_outputs(bench.operation, DType::f32);
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
