// Each network's training step and inference, at the batch sizes that matter: one clip, and what trainings use.
#include <benchmark/benchmark.h>

#include "bench/counters.h"
#include "bench/models/model_work.h"
#include "bench/stopwatch.h"

namespace melgrad::bench {
namespace {

void run(benchmark::State& state, const std::string& model, int64_t batch, ModelPass pass) {
  ModelWork work(model, batch);
  for (int i = 0; i < 2; ++i) work.run(pass);  // the arena takes its memory
  const Stopwatch stopwatch;
  for (auto _ : state) work.run(pass);
  const double seconds = stopwatch.seconds();
  add_counters(state, work.cost(pass), seconds);
  state.counters["samples/s"] = static_cast<double>(state.iterations() * batch) / seconds;
}

void add(const std::string& model, int64_t batch, ModelPass pass) {
  benchmark::RegisterBenchmark(fmt::format("models/{}/{}/batch:{}", model, name_of(pass), batch).c_str(),
                               [=](benchmark::State& state) { run(state, model, batch, pass); })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

[[maybe_unused]] const bool registered = [] {
  for (const char* model : {"samplecnn", "samplecnn-strided", "choi-fcn5", "choi-crnn", "gtzan-cnn", "key-cnn",
                            "key-kw17", "fma-cnn", "mtat-cnn3"})
    for (ModelPass pass : {ModelPass::train, ModelPass::infer}) {
      for (int64_t batch : {1, 8, 32}) add(model, batch, pass);
      if (model == std::string("samplecnn")) add(model, 23, pass);  // the published batch
    }
  for (ModelPass pass : {ModelPass::train_forward, ModelPass::infer}) add("samplecnn-block1", 8, pass);
  return true;
}();

}  // namespace
}  // namespace melgrad::bench
