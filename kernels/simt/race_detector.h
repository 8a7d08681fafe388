// RaceDetector: two accesses of one place in memory, at least one of them a store, that nothing orders; and shared memory
// that is read before any thread of the block wrote it.
//
// What orders accesses of two threads: a __syncthreads between them, within a block; a __syncwarp whose mask names both,
// within a warp. Shuffles and votes do not (CUDA C++ Programming Guide, "Warp Shuffle Functions": no memory barrier), and
// nothing orders two blocks of one launch. Within a warp each lane knows up to which __syncwarp it has seen each other
// one: Mattern, "Virtual time and global states of distributed systems", 1989.
//
// It knows of each place the last store and the last loads, of one warp, and one load of another. So where several warps
// or, between partial __syncwarps, several lanes of one read a place, it may see one race of many.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "kernels/simt/access_counter.h"

namespace melgrad::simt {

class RaceDetector {
 public:
  // When somebody made an access.
  struct Moment {
    int64_t block = -1;  // -1: never
    int thread = 0;
    uint32_t epoch = 0;  // __syncthreads of the block before
    uint32_t clock = 0;  // __syncwarps of the thread before
    std::source_location where;
  };
  enum class Problem : uint8_t { unwritten, read_after_write, write_after_write, write_after_read };
  struct Conflict {
    Problem problem;
    Moment other;  // the earlier access
  };

  // `shared` is where each block's shared memory begins.
  RaceDetector(int threads, const std::byte* shared);

  void begin_block(int64_t index);
  void barrier() { ++epoch_; }
  void warp_barrier(int warp, uint32_t mask);
  std::optional<Conflict> access(int thread, const Event& event);

 private:
  struct Place {
    Moment store;
    Moment load;              // the last
    uint32_t load_lanes = 0;  // of its warp, all at that clock
    Moment other_load;        // of another warp or block than the last
  };
  // Four bytes, as one place until a part of them is accessed.
  struct Word {
    Place whole;
    std::unique_ptr<std::array<Place, 4>> parts;
  };
  static constexpr uintptr_t word_bytes = 4, page_words = 256;
  using Page = std::array<Word, page_words>;

  Word& word_at(uintptr_t address, bool global);
  std::optional<Conflict> load(Place& place, const Moment& now, bool is_shared);
  std::optional<Conflict> store(Place& place, const Moment& now);
  bool is_ordered(const Moment& earlier, const Moment& now) const;
  bool knows(int thread, int lane, uint32_t clock) const;

  int threads_;
  uintptr_t shared_;
  int64_t block_ = -1;
  uint32_t epoch_ = 0;
  // What each thread knows of the clocks of its warp's lanes, and its own.
  std::vector<std::array<uint32_t, 32>> clocks_;
  std::vector<Word> of_shared_;
  std::unordered_map<uintptr_t, std::unique_ptr<Page>> of_global_;
};

}  // namespace melgrad::simt
