// The frontend on 30 seconds of noise, samples in memory: the configurations that bench/peers/frontend.py compares.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "audio/frontend.h"
#include "audio/mel.h"
#include "bench/counters.h"
#include "bench/stopwatch.h"
#include "kernels/philox.h"

namespace melgrad::bench {
namespace {

struct Configuration {
  const char* name;
  double seconds;
  FrontendOptions options;
};

FrontendOptions log_mel(int64_t sample_rate, int64_t n_fft, int64_t hop, int64_t mels, int64_t mfcc = 0) {
  FrontendOptions options;
  options.sample_rate = sample_rate;
  options.n_fft = n_fft;
  options.hop = hop;
  options.mels = mels;
  options.ref = 1.0;
  options.mfcc = mfcc;
  return options;
}

void run(benchmark::State& state, const Configuration& configuration) {
  const Frontend frontend(configuration.options);
  Generator random(1, Draw::test);
  std::vector<float> samples(
      static_cast<std::size_t>(configuration.seconds * static_cast<double>(configuration.options.sample_rate)));
  for (float& sample : samples) sample = static_cast<float>(0.1 * random.normal());
  const Stopwatch stopwatch;
  for (auto _ : state) benchmark::DoNotOptimize(frontend.compute(samples));
  const double seconds = stopwatch.seconds() / static_cast<double>(state.iterations());
  const int64_t frames = frontend.frames_for(static_cast<int64_t>(samples.size()));
  state.counters["us/frame"] = 1e6 * seconds / static_cast<double>(frames);
  state.counters["x realtime"] = configuration.seconds / seconds;
  add_counters(state, frontend.cost(frames), seconds * static_cast<double>(state.iterations()));
}

const bool registered = [] {
  const std::vector<Configuration> configurations{
      {"log-mel/22050/2048/512/128", 30, log_mel(22050, 2048, 512, 128)},
      {"log-mel/12000/512/256/96", 29.12, log_mel(12000, 512, 256, 96)},
      {"log-mel/16000/512/160/80", 30, log_mel(16000, 512, 160, 80)},
      {"mfcc-13/22050/2048/512/128", 30, log_mel(22050, 2048, 512, 128, 13)},
      {"log-mel/16000/400/160/80", 30, log_mel(16000, 400, 160, 80)},
      {"log-frequency", 30, frontend_preset("log-frequency")},
  };
  for (const Configuration& configuration : configurations)
    benchmark::RegisterBenchmark(fmt::format("frontend/{}", configuration.name).c_str(),
                                 [configuration](benchmark::State& state) { run(state, configuration); })
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  return true;
}();

}  // namespace
}  // namespace melgrad::bench
