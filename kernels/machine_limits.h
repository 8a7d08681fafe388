// What this machine can do at best, measured in this run with the threads that kernels use. Nothing is typed in: the
// same processor is another machine under another clock, another neighbour or other memory.
#pragma once

#include "kernels/cost.h"

namespace melgrad {

struct MachineLimits {
  double flops_per_second;  // fused multiply-adds in registers, f32
  // Arrays far larger than the caches: summed, filled by stores that go around the caches, copied (read plus written).
  double read_bytes_per_second, write_bytes_per_second, copy_bytes_per_second;
};
// Measured at the first call, which takes a second.
const MachineLimits& machine_limits();

// The least seconds that a cost takes here, by the limit that binds: multiply-adds, or memory at the speed of a copy.
double least_seconds(const Cost& cost);
bool bound_by_memory(const Cost& cost);

}  // namespace melgrad
