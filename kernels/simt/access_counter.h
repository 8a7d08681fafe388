// AccessCounter: makes the requests of warps out of what each of their lanes did, and counts sectors and wavefronts.
//
// Threads run one after the other here, and each leaves a trace of its accesses. Where all lanes of a warp have met, their
// traces are replayed together: of the places in the code that lanes are at, the lowest address goes first, for all
// lanes that are there. Lanes that parted at a branch thus meet again behind it, as on a GPU, because the compiler lays
// code out in the order of the source (kernels/CMakeLists.txt asks it to).
#pragma once

#include <cstdint>
#include <source_location>
#include <span>
#include <unordered_map>
#include <vector>

#include "kernels/simt/recording.h"

namespace melgrad::simt {

// An access of a thread, or the beginning of a step.
struct Event {
  const void* code;               // where in the program
  const void* address = nullptr;  // null for a step
  std::source_location where;
  uint16_t bytes = 0;  // of an element
  uint16_t piece = 0;  // an element is fetched in pieces of its alignment, of 16 bytes at most
  Access access = Access::global_load;
};

class AccessCounter {
 public:
  // A block of so many threads begins, with empty traces.
  void begin_block(int threads) { traces_.resize(static_cast<std::size_t>(threads)); }
  void add(int thread, const Event& event) { traces_[static_cast<std::size_t>(thread)].push_back(event); }

  // All threads of the block, or of a warp, are at the same place: counts what they did since the last time.
  void replay_block();
  void replay_warp(int warp);

  // Adds what was counted.
  void add_to(KernelCounts& counts) const;

 private:
  using Trace = std::vector<Event>;

  struct Request {
    const Event* event[32];  // of each lane that takes part
    int lane[32];
    int count = 0;
  };

  void step(uint32_t lanes, uint32_t& previous);
  void count(const Request& request);

  std::vector<Trace> traces_;  // of each thread
  std::unordered_map<const void*, LineCounts> places_;
  int64_t steps_ = 0, step_lanes_ = 0, divergent_ = 0;
};

// What one request of a warp costs: lane `lanes[i]` accesses `bytes` at addresses[i], `bytes` at most 16.
struct RequestCost {
  int64_t bytes = 0;  // different ones
  int64_t sectors = 0;
  int64_t wavefronts = 0, least_wavefronts = 0;
};
RequestCost global_cost(std::span<const uintptr_t> addresses, int64_t bytes);
RequestCost shared_cost(std::span<const uintptr_t> addresses, std::span<const int> lanes, int64_t bytes);

}  // namespace melgrad::simt
