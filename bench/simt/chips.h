// GPUs by their makers' data sheets, and what follows for a kernel: how many of its warps an SM holds at once, and the
// least time that its counts allow. Estimates, all of them: nothing here was measured.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "kernels/cost.h"

namespace melgrad::bench {

// CUDA C++ Programming Guide, "Technical Specifications per Compute Capability"; clocks and bandwidths from the data
// sheets of the A100 80 GB SXM, GeForce RTX 4090, H100 SXM and H200 SXM.
struct Chip {
  const char* name;
  const char* target;  // ptxas's
  int sms;
  int warps, blocks;                     // an SM holds at most
  int64_t shared_bytes, shared_a_block;  // of an SM; of a block at most
  int cores;                             // of an SM: f32 multiply-adds a cycle
  double clock;                          // cycles a second, boosted
  double bytes_per_second;               // of global memory
  double tensor_flops;                   // bf16 operands, f32 sums, dense

  double flops() const { return 2.0 * sms * cores * clock; }
};
std::span<const Chip> chips();

struct Occupancy {
  int blocks;         // that an SM holds at once
  double share;       // of the warps that it could hold
  const char* limit;  // what keeps it from holding more
};
Occupancy occupancy(const Chip& chip, int64_t threads_per_block, int registers, int64_t shared_bytes);

// What an operation asks of a chip, by what it must do and by what its kernels were counted to do.
struct Work {
  Cost cost;
  bool on_tensor_cores = false;
  int64_t sectors = 0, wavefronts = 0;  // of all its kernels
};

// The longest of: global memory's least time for the compulsory bytes; the multipliers' for the operations; and that of
// the SMs' load and store units, which pass four sectors or one wavefront a cycle, if the work fills all SMs.
struct LeastTime {
  double seconds;
  const char* limit;
};
LeastTime least_time(const Chip& chip, const Work& work);

}  // namespace melgrad::bench
