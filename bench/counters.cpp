#include "bench/counters.h"

#include "kernels/machine_limits.h"

namespace melgrad::bench {

void add_rates(benchmark::State& state, const Cost& cost, double seconds) {
  const double rate = static_cast<double>(state.iterations()) / seconds;
  if (cost.flops > 0) state.counters["flop/s"] = static_cast<double>(cost.flops) * rate;
  if (cost.bytes > 0) state.counters["B/s"] = static_cast<double>(cost.bytes) * rate;
  if (cost.flops > 0 && cost.bytes > 0)
    state.counters["flop/B"] = static_cast<double>(cost.flops) / static_cast<double>(cost.bytes);
}

void add_counters(benchmark::State& state, const Cost& cost, double seconds) {
  add_rates(state, cost, seconds);
  const MachineLimits& limits = machine_limits();
  const double iterations = static_cast<double>(state.iterations());
  if (cost.flops > 0) state.counters["fma"] = state.counters["flop/s"] / limits.flops_per_second;
  if (cost.bytes > 0) {
    const double bytes = state.counters["B/s"];
    state.counters["read"] = bytes / limits.read_bytes_per_second;
    state.counters["write"] = bytes / limits.write_bytes_per_second;
    state.counters["copy"] = bytes / limits.copy_bytes_per_second;
  }
  state.counters["limit"] = least_seconds(cost) * iterations / seconds;
  state.SetLabel(bound_by_memory(cost) ? "bound by memory" : "bound by multiply-adds");
}

}  // namespace melgrad::bench
