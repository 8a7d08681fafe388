#include "kernels/machine_limits.h"

#include <hwy/aligned_allocator.h>
#include <hwy/cache_control.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <vector>

#include "kernels/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/machine_limits.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace melgrad::machine::HWY_NAMESPACE {

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

// The sum of `count` floats, a multiple of four vectors.
float sum(const float* values, int64_t count) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto a = hn::Zero(d), b = a, c = a, e = a;
  for (int64_t i = 0; i + 4 * lanes <= count; i += 4 * lanes) {
    a = hn::Add(a, hn::Load(d, values + i));
    b = hn::Add(b, hn::Load(d, values + i + lanes));
    c = hn::Add(c, hn::Load(d, values + i + 2 * lanes));
    e = hn::Add(e, hn::Load(d, values + i + 3 * lanes));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
}

void fill(float* values, int64_t count) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto value = hn::Set(d, 1.0f);
  for (int64_t i = 0; i + lanes <= count; i += lanes) hn::Stream(value, d, values + i);
  hwy::FlushStream();
}

}  // namespace melgrad::machine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad {
namespace machine {

HWY_EXPORT(multiply_add);
HWY_EXPORT(sum);
HWY_EXPORT(fill);

}  // namespace machine
namespace {

constexpr int64_t floats = 32 << 20;  // 128 MiB

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The best of many attempts over a while: other programs come and go.
template <class Body>
double best_seconds(const Body& body) {
  const auto start = std::chrono::steady_clock::now();
  double best = 1e30;
  for (int attempt = 0; attempt < 5 || seconds_since(start) < 0.25; ++attempt) {
    const auto attempt_start = std::chrono::steady_clock::now();
    body();
    best = std::min(best, seconds_since(attempt_start));
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
      flops[index] = HWY_DYNAMIC_DISPATCH(machine::multiply_add)(2'000'000, &sinks[index * 16]);
    });
  });
  return flops.front() * static_cast<double>(threads) / seconds;
}

// Bytes a second of `body`, which goes through an array from one float to another and touches each of its bytes `passes`
// times in all.
template <class Body>
double measure_bytes(int passes, const Body& body) {
  const double seconds = best_seconds([&] { parallel_for(thread_pool(), floats, 1 << 18, body); });
  return static_cast<double>(passes) * static_cast<double>(floats) * sizeof(float) / seconds;
}

MachineLimits measure() {
  const auto array = hwy::AllocateAligned<float>(floats), other = hwy::AllocateAligned<float>(floats);
  std::fill_n(array.get(), floats, 1.0f);
  std::fill_n(other.get(), floats, 2.0f);
  std::atomic<float> sink = 0;
  const auto read = [&](int64_t begin, int64_t end) {
    sink = HWY_DYNAMIC_DISPATCH(machine::sum)(array.get() + begin, end - begin);
  };
  const auto write = [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(machine::fill)(array.get() + begin, end - begin);
  };
  const auto copy = [&](int64_t begin, int64_t end) {
    std::memcpy(other.get() + begin, array.get() + begin, static_cast<std::size_t>(end - begin) * sizeof(float));
  };
  return {measure_flops(), measure_bytes(1, read), measure_bytes(1, write), measure_bytes(2, copy)};
}

double flop_seconds(const Cost& cost) {
  return static_cast<double>(cost.flops) / machine_limits().flops_per_second;
}

double copy_seconds(const Cost& cost) {
  return static_cast<double>(cost.bytes) / machine_limits().copy_bytes_per_second;
}

}  // namespace

const MachineLimits& machine_limits() {
  static const MachineLimits limits = measure();
  return limits;
}

double least_seconds(const Cost& cost) {
  return std::max(flop_seconds(cost), copy_seconds(cost));
}

bool bound_by_memory(const Cost& cost) {
  return copy_seconds(cost) > flop_seconds(cost);
}

}  // namespace melgrad
#endif
