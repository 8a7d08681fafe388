// The operations that melgrad-bench --device simt counts: shapes of the networks, so short that the engine runs them in
// moments.
#pragma once

#include <vector>

#include "bench/kernels/operation_bench.h"

namespace melgrad::bench {

struct SimtOperation {
  BenchCase bench;
  bool on_tensor_cores = false;
};
std::vector<SimtOperation> simt_operations();

}  // namespace melgrad::bench
