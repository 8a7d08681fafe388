// Counts of kernels whose lanes part ways, against loops over masks of lanes.
#include <algorithm>
#include <bit>
#include <set>

#include "tests/kernels/simt/counting.h"

namespace melgrad::simt {
namespace {

__global__ void if_else_kernel(Global<const float> x, Global<float> y) {
  const unsigned t = threadIdx.x;
  float sum = 0;
  if (t % 4 < 2)
    sum += x[t];
  else
    sum -= x[64 + t];
  y[t] = sum;
}
__global__ void alternate_kernel(Global<const float> x, Global<float> y, int rounds) {
  const int t = static_cast<int>(threadIdx.x);
  float sum = 0;
  for (int k = 0; k < rounds; ++k)
    if ((t + k) % 2 == 0) sum += x[64 * k + t];
  y[t] = sum;
}
__global__ void ragged_kernel(Global<const float> x, Global<float> y) {
  const int t = static_cast<int>(threadIdx.x);
  float sum = 0;
  for (int j = 0; j < t; ++j) sum += x[32 * j + t];
  y[t] = sum;
}
__global__ void early_return_kernel(Global<const float> x, Global<float> y, int rounds) {
  const int t = static_cast<int>(threadIdx.x);
  if (t >= 20) return;
  float sum = 0;
  for (int k = 0; k < rounds; ++k) sum += x[32 * k + t];
  y[t] = sum;
}
__global__ void search_kernel(Global<const float> x, Global<float> y, int n) {
  int low = 0, high = n;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (x[middle] < 3.3f * static_cast<float>(threadIdx.x))
      low = middle + 1;
    else
      high = middle;
  }
  y[threadIdx.x] = static_cast<float>(low);
}
__global__ void break_kernel(Global<const float> x, Global<float> y, int rounds) {
  const int t = static_cast<int>(threadIdx.x);
  float sum = 0;
  for (int k = 0; k < rounds; ++k) {
    const float value = x[32 * k + t];
    if (value > 100.0f + static_cast<float>(t) * 7) break;
    sum += x[512 + 32 * k + t];
  }
  y[t] = sum;
}
__global__ void continue_kernel(Global<const float> x, Global<float> y, int rounds) {
  const int t = static_cast<int>(threadIdx.x);
  float sum = 0;
  for (int k = 0; k < rounds; ++k) {
    if ((t + k) % 4 == 0) continue;
    const float value = x[32 * k + t];
    if (static_cast<int>(value) % 3 == 0) sum += x[512 + 32 * k + t];
  }
  y[t] = sum;
}

// What a loop over masks expects: `lanes` that load element(lane) together.
struct Expected {
  int64_t requests = 0, lanes = 0, sectors = 0;

  template <class Element>
  void load(uint32_t mask, const Element& element) {
    if (mask == 0) return;
    std::set<int> touched;
    for (int lane = 0; lane < 32; ++lane)
      if ((mask >> lane & 1) != 0) touched.insert(element(lane) / 8);
    ++requests;
    lanes += std::popcount(mask);
    sectors += static_cast<int64_t>(touched.size());
  }
};

template <class Predicate>
uint32_t where(uint32_t mask, const Predicate& predicate) {
  uint32_t result = 0;
  for (int lane = 0; lane < 32; ++lane)
    if ((mask >> lane & 1) != 0 && predicate(lane)) result |= uint32_t{1} << lane;
  return result;
}

void check_divergent(const KernelCounts& kernel, const Expected& expected, int64_t stored_lanes = 32) {
  CAPTURE(kernel.name);
  const LineCounts load = kernel.total(Access::global_load), store = kernel.total(Access::global_store);
  CHECK(load.requests == expected.requests);
  CHECK(load.lanes == expected.lanes);
  CHECK(load.sectors == expected.sectors);
  CHECK(store.requests == 1);  // they have met again
  CHECK(store.lanes == stored_lanes);
  CHECK(kernel.step_lanes > kernel.steps);
  CHECK(kernel.step_lanes < 32 * kernel.steps);
}

TEST_CASE("counting: lanes that part at a branch meet again behind it") {
  const Array x(2048), y(32);
  const auto in = global<const float>(x.view);
  const auto out = global<float>(y.view);
  constexpr uint32_t all = 0xffffffff;

  const KernelCounts if_else = count<if_else_kernel>(with_branches, 1, 32, 0, in, out);
  check_divergent(if_else, {2, 32, 8});
  CHECK(if_else.divergent == 1);

  const int rounds = 10;
  const KernelCounts alternate = count<alternate_kernel>(with_branches, 1, 32, 0, in, out, rounds);
  check_divergent(alternate, {rounds, 16 * rounds, 4 * rounds});
  CHECK(alternate.divergent == rounds);

  Expected ragged;
  for (int j = 0; j < 31; ++j) ragged.load(all << (j + 1), [&](int t) { return 32 * j + t; });
  const KernelCounts ragged_counts = count<ragged_kernel>(with_branches, 1, 32, 0, in, out);
  check_divergent(ragged_counts, ragged);
  CHECK(ragged_counts.divergent == 31);  // a lane leaves at each test; the last leaves nobody behind

  check_divergent(count<early_return_kernel>(with_branches, 1, 32, 0, in, out, 5), {5, 100, 15}, 20);

  Expected search;
  std::vector<int> low(32, 0), high(32, 100);
  for (;;) {
    const auto middle = [&](int t) {
      return (low[static_cast<std::size_t>(t)] + high[static_cast<std::size_t>(t)]) / 2;
    };
    const uint32_t searching =
        where(all, [&](int t) { return low[static_cast<std::size_t>(t)] < high[static_cast<std::size_t>(t)]; });
    if (searching == 0) break;
    search.load(searching, middle);
    for (int t = 0; t < 32; ++t) {
      if ((searching >> t & 1) == 0) continue;
      const int at = middle(t);
      if (static_cast<float>(at) < 3.3f * static_cast<float>(t))
        low[static_cast<std::size_t>(t)] = at + 1;
      else
        high[static_cast<std::size_t>(t)] = at;
    }
  }
  check_divergent(count<search_kernel>(with_branches, 1, 32, 0, in, out, 100), search);

  Expected breaks;
  uint32_t inside = all;
  for (int k = 0; k < 12; ++k) {
    breaks.load(inside, [&](int t) { return 32 * k + t; });
    inside = where(inside, [&](int t) { return static_cast<float>(32 * k + t) <= 100.0f + static_cast<float>(t) * 7; });
    breaks.load(inside, [&](int t) { return 512 + 32 * k + t; });
  }
  check_divergent(count<break_kernel>(with_branches, 1, 32, 0, in, out, 12), breaks);

  Expected continues;
  for (int k = 0; k < rounds; ++k) {
    const uint32_t on = where(all, [&](int t) { return (t + k) % 4 != 0; });
    continues.load(on, [&](int t) { return 32 * k + t; });
    continues.load(where(on, [&](int t) { return (32 * k + t) % 3 == 0; }), [&](int t) { return 512 + 32 * k + t; });
  }
  check_divergent(count<continue_kernel>(with_branches, 1, 32, 0, in, out, rounds), continues);
}

__global__ void shuffle_kernel(Global<const float> x, Global<float> y) {
  float sum = 0;
  for (int k = 0; k < 4; ++k) {
    sum += x[32 * k + static_cast<int>(threadIdx.x)];
    sum = __shfl_xor_sync(0xffffffff, sum, 1);
  }
  y[threadIdx.x] = sum;
}

TEST_CASE("counting: a kernel whose lanes stay together does not diverge") {
  const Array x(128), y(32);
  for (const KernelCounts& kernel :
       {count<uniform_kernel>(with_branches, 1, 32, 0, global<const float>(x.view), global<float>(y.view)),
        count<shuffle_kernel>(with_branches, 1, 32, 0, global<const float>(x.view), global<float>(y.view))}) {
    CAPTURE(kernel.name);
    CHECK(kernel.steps > 4);
    CHECK(kernel.step_lanes == 32 * kernel.steps);
    CHECK(kernel.divergent == 0);
    CHECK(kernel.total(Access::global_load).requests == 4);
  }
}

}  // namespace
}  // namespace melgrad::simt
