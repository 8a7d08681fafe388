#include "kernels/host_region.h"

#include <sys/mman.h>

#include <algorithm>

namespace melgrad {
namespace {

constexpr int64_t page = 4096, huge_page = int64_t{2} << 20, least = int64_t{1} << 30;

int64_t whole_pages(int64_t bytes) {
  return (std::max<int64_t>(bytes, 1) + page - 1) / page * page;
}

}  // namespace

HostRegion::HostRegion(int64_t bytes) {
  for (; bytes >= least && base_ == nullptr; bytes /= 2) {
    void* data = mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) continue;
    base_ = static_cast<char*>(data);
    size_ = bytes;
  }
  if (base_ == nullptr) return;
  madvise(base_, static_cast<std::size_t>(size_), MADV_HUGEPAGE);
  madvise(base_, static_cast<std::size_t>(size_), MADV_DONTDUMP);
  // Blocks start where a huge page does.
  const int64_t start = (huge_page - static_cast<int64_t>(reinterpret_cast<uintptr_t>(base_) % huge_page)) % huge_page;
  add_hole(start, size_ - start);
}

HostRegion::~HostRegion() {
  if (base_ != nullptr) munmap(base_, static_cast<std::size_t>(size_));
}

void HostRegion::add_hole(int64_t offset, int64_t size) {
  holes_[offset] = size;
  holes_by_size_.insert({size, offset});
}

void HostRegion::remove_hole(int64_t offset, int64_t size) {
  holes_.erase(offset);
  holes_by_size_.erase({size, offset});
}

void* HostRegion::allocate(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  const int64_t size = whole_pages(bytes);
  const auto found = holes_by_size_.lower_bound({size, 0});
  if (found == holes_by_size_.end()) return nullptr;
  const auto [room, offset] = *found;
  remove_hole(offset, room);
  if (room > size) add_hole(offset + size, room - size);
  extent_ = std::max(extent_, offset + size);
  return base_ + offset;
}

void HostRegion::free(void* data, int64_t bytes) {
  const std::lock_guard lock(mutex_);
  int64_t offset = static_cast<char*>(data) - base_, size = whole_pages(bytes);
  auto next = holes_.lower_bound(offset);
  if (next != holes_.end() && next->first == offset + size) {
    size += next->second;
    const auto [at, room] = *next;
    remove_hole(at, room);
    next = holes_.lower_bound(offset);
  }
  if (next != holes_.begin()) {
    const auto [at, room] = *std::prev(next);
    if (at + room == offset) {
      remove_hole(at, room);
      offset = at;
      size += room;
    }
  }
  add_hole(offset, size);
}

bool HostRegion::holds(const void* data) const {
  const auto* at = static_cast<const char*>(data);
  return base_ != nullptr && at >= base_ && at < base_ + size_;
}

int64_t HostRegion::extent() const {
  const std::lock_guard lock(mutex_);
  return extent_;
}

void HostRegion::release_unused() {
  const std::lock_guard lock(mutex_);
  for (const auto& [offset, size] : holes_)
    if (offset < extent_)
      madvise(base_ + offset, static_cast<std::size_t>(std::min(size, extent_ - offset)), MADV_DONTNEED);
  while (!holes_.empty() && std::prev(holes_.end())->first < extent_ &&
         std::prev(holes_.end())->first + std::prev(holes_.end())->second == size_)
    extent_ = std::prev(holes_.end())->first;
}

}  // namespace melgrad
