// The GTZAN network: a training step and inference at a batch of 32, as the trainer runs them.
#include <benchmark/benchmark.h>

#include "bench/machine.h"
#include "bench/stopwatch.h"
#include "layers/loss.h"
#include "models/gtzan_cnn.h"
#include "optim/adam.h"
#include "tensor/autograd.h"

namespace melgrad::bench {
namespace {

constexpr int64_t batch = 32;

struct Fixture {
  Sequential network = gtzan_cnn({});
  Tensor images, labels;

  Fixture() {
    network.build({130, 13, 1});
    Generator random(1, Draw::test);
    std::vector<float> values(batch * 130 * 13);
    for (float& value : values) value = static_cast<float>(random.normal());
    std::vector<int32_t> classes(batch);
    for (int32_t& label : classes) label = static_cast<int32_t>(random.below(10));
    images = Tensor::from(values, {batch, 130, 13, 1});
    labels = Tensor::from(classes, {batch});
  }
};

void add_counters(benchmark::State& state, double seconds, double forward_passes, const Sequential& network) {
  using benchmark::Counter;
  const double samples = static_cast<double>(state.iterations()) * batch;
  const double flops = forward_passes * static_cast<double>(network.flops(network.input_shape()));
  state.counters["samples/s"] = Counter(samples, Counter::kIsRate);
  state.counters["flop/s"] = Counter(flops * samples, Counter::kIsRate);
  state.counters["limit"] = flops * samples / machine_limits().flops_per_second / seconds;
}

void training_step(benchmark::State& state) {
  Fixture fixture;
  Adam adam(as_parameters(fixture.network.parameters()), {.learning_rate = 1e-4});
  uint32_t step = 0;
  const Stopwatch stopwatch;
  for (auto _ : state) {
    const Tensor logits = fixture.network.pre_activation(fixture.images, {.training = true, .step = step++});
    adam.zero_grad();
    cross_entropy(logits, fixture.labels).backward();
    adam.step();
  }
  add_counters(state, stopwatch.seconds(), 3, fixture.network);  // forward, and two gradients of each product
}

void inference(benchmark::State& state) {
  Fixture fixture;
  const NoGrad no_grad;
  const Stopwatch stopwatch;
  for (auto _ : state) benchmark::DoNotOptimize(fixture.network.forward(fixture.images));
  add_counters(state, stopwatch.seconds(), 1, fixture.network);
}

BENCHMARK(training_step)->Name("model/gtzan-cnn/training_step/batch:32")->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(inference)->Name("model/gtzan-cnn/inference/batch:32")->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace melgrad::bench
