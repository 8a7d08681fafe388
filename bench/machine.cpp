#include "bench/machine.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "bench/stopwatch.h"
#include "kernels/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/machine.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace melgrad::bench::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Twelve independent chains of multiply-adds: enough to hide their latency. Returns the flops done.
double multiply_add(int64_t rounds, float* sink) {
  const hn::ScalableTag<float> d;
  constexpr int chains = 12;
  hn::Vec<decltype(d)> sum[chains];
  for (auto& chain : sum) chain = hn::Set(d, 1.0f);
  const auto factor = hn::Set(d, 0.999f), term = hn::Set(d, 0.001f);
  for (int64_t round = 0; round < rounds; ++round)
    for (auto& chain : sum) chain = hn::MulAdd(chain, factor, term);
  for (const auto& chain : sum) *sink += hn::GetLane(chain);
  return 2.0 * chains * static_cast<double>(rounds) * static_cast<double>(hn::Lanes(d));
}

}  // namespace melgrad::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::bench {
namespace {

HWY_EXPORT(multiply_add);

template <class Body>
double best_seconds(const Body& body) {
  double best = 1e30;
  for (int attempt = 0; attempt < 5; ++attempt) {
    const Stopwatch stopwatch;
    body();
    best = std::min(best, stopwatch.seconds());
  }
  return best;
}

double measure_flops() {
  const int64_t threads = thread_pool().threads();
  std::vector<float> sinks(static_cast<std::size_t>(threads) * 16);
  std::vector<double> flops(static_cast<std::size_t>(threads));
  const double seconds = best_seconds([&] {
    thread_pool().run(threads, [&](int64_t i) {
      const auto index = static_cast<std::size_t>(i);
      flops[index] = HWY_DYNAMIC_DISPATCH(multiply_add)(2'000'000, &sinks[index * 16]);
    });
  });
  return flops.front() * static_cast<double>(threads) / seconds;
}

double measure_bytes() {
  constexpr int64_t size = 64 << 20, grain = 1 << 20;
  std::vector<char> from(size, 1), to(size, 2);
  const double seconds = best_seconds([&] {
    parallel_for(thread_pool(), size, grain, [&](int64_t begin, int64_t end) {
      std::memcpy(to.data() + begin, from.data() + begin, static_cast<std::size_t>(end - begin));
    });
  });
  return 2.0 * static_cast<double>(size) / seconds;
}

}  // namespace

const MachineLimits& machine_limits() {
  static const MachineLimits limits{measure_flops(), measure_bytes()};
  return limits;
}

double least_seconds(const Cost& cost) {
  const MachineLimits& limits = machine_limits();
  return std::max(static_cast<double>(cost.flops) / limits.flops_per_second,
                  static_cast<double>(cost.bytes) / limits.bytes_per_second);
}

}  // namespace melgrad::bench
#endif
