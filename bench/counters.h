// The columns that every row of melgrad-bench has beside its time: rates, the part of this machine's limits that they
// are, and which limit binds.
#pragma once

#include <benchmark/benchmark.h>

#include "kernels/cost.h"

namespace melgrad::bench {

// `cost` of one iteration; `seconds` of all. flop/s; B/s; flop/B, the arithmetic intensity; fma, read, write and copy, the
// rates as parts of those limits (B/s all read, all written, half and half); limit, the least time of the limit that
// binds over the time taken. The row's label names that limit. A cost of 0 flops or bytes leaves out what it cannot give.
void add_counters(benchmark::State& state, const Cost& cost, double seconds);
// The rates alone, where this machine's limits say nothing: of a GPU.
void add_rates(benchmark::State& state, const Cost& cost, double seconds);

}  // namespace melgrad::bench
