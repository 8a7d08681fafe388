// Arena: memory of one device, handed out in blocks and kept for the next time.
//
// A training step asks for the same sizes over and over. Fresh pages from the system cost more than the arithmetic of a
// small network (page faults; see bench/notes.md), so freed blocks are kept: small ones in lists by size, the host's large
// ones in one range of addresses on huge pages (host_region.h), where blocks of any size take each other's place.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "kernels/device.h"

namespace melgrad {

class Arena;

// Owns one block and gives it back to its arena. Movable.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).swap(*this);
    return *this;
  }
  ~Buffer();

  void* data() const { return data_; }
  int64_t bytes() const { return bytes_; }
  void swap(Buffer& other) noexcept {
    std::swap(arena_, other.arena_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

 private:
  friend class Arena;
  Buffer(Arena* arena, void* data, int64_t bytes) : arena_(arena), data_(data), bytes_(bytes) {}
  Arena* arena_ = nullptr;
  void* data_ = nullptr;
  int64_t bytes_ = 0;  // as asked for
};

struct ArenaStatistics {
  int64_t in_use = 0;        // bytes in live buffers, rounded up to blocks
  int64_t peak_in_use = 0;   // since reset_peak()
  int64_t reserved = 0;      // bytes taken from the system: in use and in free lists
  int64_t system_calls = 0;  // how often the system was asked
};

class Arena {
 public:
  explicit Arena(Device device) : device_(device) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // 64-byte aligned (4 KiB for large blocks on the host). The contents are whatever was there; in debug and sanitizer
  // builds NaN, so that reading what nobody wrote shows.
  // Throws Error if the system has no such memory.
  Buffer allocate(int64_t bytes);

  void release_unused();  // free lists back to the system
  ArenaStatistics statistics() const;
  void reset_peak();  // to what is in use now

 private:
  friend class Buffer;
  void give_back(void* data, int64_t bytes) noexcept;

  Device device_;
  mutable std::mutex mutex_;
  std::map<int64_t, std::vector<void*>> free_;  // by block size
  ArenaStatistics statistics_;
};

// One a device, for the life of the program.
Arena& arena(Device device);

}  // namespace melgrad
