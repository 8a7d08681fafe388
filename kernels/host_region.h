// Host memory for large blocks: one range of addresses on huge pages, out of which blocks are cut and into which they grow
// together again. Pages that a block has touched stay with the program, so a training step that asks for the same blocks as
// the one before meets no fresh page; and blocks of different sizes use the same pages, which lists by size cannot.
//
// The smallest hole that holds a block is taken, the lowest of equals: the same sequence of calls gives the same addresses.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>

namespace melgrad {

class HostRegion {
 public:
  // Reserves addresses, no memory: as many as the system grants, up to `bytes`.
  explicit HostRegion(int64_t bytes);
  ~HostRegion();
  HostRegion(const HostRegion&) = delete;
  HostRegion& operator=(const HostRegion&) = delete;

  // Aligned to 4 KiB; null if no hole is large enough.
  void* allocate(int64_t bytes);
  void free(void* data, int64_t bytes);
  bool holds(const void* data) const;

  // From the start to the end of the last block there has been: the pages taken.
  int64_t extent() const;
  // The pages of all holes go back to the system; their addresses stay.
  void release_unused();

 private:
  void add_hole(int64_t offset, int64_t size);
  void remove_hole(int64_t offset, int64_t size);

  char* base_ = nullptr;
  int64_t size_ = 0;
  mutable std::mutex mutex_;
  std::map<int64_t, int64_t> holes_;                     // offset: size
  std::set<std::pair<int64_t, int64_t>> holes_by_size_;  // (size, offset)
  int64_t extent_ = 0;
};

}  // namespace melgrad
