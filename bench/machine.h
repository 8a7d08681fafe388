// What this machine can do at best, measured in this run with the threads that the benches use.
#pragma once

#include "kernels/cost.h"

namespace melgrad::bench {

struct MachineLimits {
  double flops_per_second;  // fused multiply-adds in registers, f32
  double bytes_per_second;  // a copy far larger than the caches, read plus written
};
const MachineLimits& machine_limits();

// The least seconds that a cost takes here, by the limit that binds.
double least_seconds(const Cost& cost);

}  // namespace melgrad::bench
