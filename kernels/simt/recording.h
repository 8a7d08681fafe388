// Recording: what kernels do to memory, counted by source line, and what they must not do, found.
//
//   simt::Recording recording({.counts = true});
//   matmul(stream, …);
//   fmt::print("{}", to_table(recording.kernels()));
//
// It takes in the launches that the calling thread makes while it lives. The kernels must be built to record: those of a
// program with the CMake property MELGRAD_SIMT_RECORD (kernels/CMakeLists.txt). In any other program a launch under a
// Recording is an error, and none pays for it. docs/simt.md says how a count comes about and what it cannot know.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/enum_names.h"

namespace melgrad::simt {

struct Watch {
  bool counts = false;    // requests, sectors, bank conflicts
  bool branches = false;  // with counts: exact where lanes of a warp part ways, and how often they do; far slower
  bool races = false;     // accesses of two threads that nothing orders, and shared memory that nobody wrote: errors
};

enum class Access : uint8_t { global_load, global_store, shared_load, shared_store };

constexpr bool is_global(Access access) {
  return access == Access::global_load || access == Access::global_store;
}

// What the warps did at one line of a kernel.
struct LineCounts {
  std::string file;  // its path, as the compiler was given it
  int line = 0;
  Access access = Access::global_load;
  int64_t requests = 0;  // accesses of a warp: one for all lanes that make it together, of at most 16 bytes a lane
  int64_t lanes = 0;     // that took part, over all requests
  int64_t bytes = 0;     // different bytes of each request, over all requests
  // Global memory: 32-byte sectors that hold these bytes, over all requests.
  int64_t sectors = 0;
  // Shared memory: passes over the 32 banks, and how many they would be if no two lanes wanted different words of one
  // bank. What is beyond is bank conflicts.
  int64_t wavefronts = 0;
  int64_t least_wavefronts = 0;

  int64_t conflicts() const { return wavefronts - least_wavefronts; }
};

struct KernelCounts {
  std::string name;
  int64_t launches = 0, blocks = 0, warps = 0;
  int64_t barriers = 0;           // __syncthreads, once a block
  int64_t threads_per_block = 0;  // of the largest launch
  int64_t shared_bytes = 0;       // of a block, at most: declared and dynamic
  // Under Watch::branches. A step is a run of code without a branch, as the host's compiler cut it, by a warp.
  int64_t steps = 0, step_lanes = 0;
  int64_t divergent = 0;            // how often lanes that had gone together parted
  std::vector<LineCounts> lines{};  // by file and line

  LineCounts total(Access access) const;
};

class Recording {
 public:
  explicit Recording(Watch watch);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // That of the calling thread, or null.
  static Recording* current();

  const Watch& watch() const { return watch_; }
  // In the order of their first launch.
  const std::vector<KernelCounts>& kernels() const { return kernels_; }
  // Of one kernel; all zero if it was not launched.
  KernelCounts kernel(const std::string& name) const;

  // Adds what one host thread counted of a launch.
  void add(const KernelCounts& counts);

 private:
  Watch watch_;
  Recording* previous_;
  std::mutex mutex_;
  std::vector<KernelCounts> kernels_;
};

}  // namespace melgrad::simt

namespace melgrad {

template <>
inline constexpr EnumNames<simt::Access, 4> enum_names<simt::Access>{{{simt::Access::global_load, "global load"},
                                                                      {simt::Access::global_store, "global store"},
                                                                      {simt::Access::shared_load, "shared load"},
                                                                      {simt::Access::shared_store, "shared store"}}};

}  // namespace melgrad
