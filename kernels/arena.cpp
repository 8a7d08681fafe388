#include "kernels/arena.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "kernels/error.h"
#include "kernels/host_region.h"
#include "kernels/memory.h"
#include "kernels/simt/memory.h"

namespace melgrad {
namespace {

#if defined(__SANITIZE_ADDRESS__)
// Let the sanitizer see each block's own life, and that a block is larger than what was asked for.
constexpr bool keeps_blocks = false;
void forbid(void* data, int64_t from, int64_t to) {
  ASAN_POISON_MEMORY_REGION(static_cast<char*>(data) + from, static_cast<std::size_t>(to - from));
}
void allow(void* data, int64_t bytes) {
  ASAN_UNPOISON_MEMORY_REGION(data, static_cast<std::size_t>(bytes));
}
#else
constexpr bool keeps_blocks = true;
void forbid(void*, int64_t, int64_t) {}
void allow(void*, int64_t) {}
#endif
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__)
constexpr bool poisons = false;
#else
constexpr bool poisons = true;
#endif

// Where the host's large blocks lie. Never destroyed, as the arenas.
constexpr int64_t large_block = 64 << 10, page = 4096, region_bytes = int64_t{1} << 38;
HostRegion& host_region() {
  static auto* region = new HostRegion(region_bytes);
  return *region;
}
bool in_region(Device device, int64_t block) {
  return keeps_blocks && device == Device::cpu && block >= large_block;
}

// Sizes are rounded up to 64 bytes, and to an eighth of their power of two when larger: few distinct sizes, at most
// 12.5 % waste. In the region, to whole pages.
int64_t block_size(Device device, int64_t bytes) {
  int64_t step = 64;
  while (step * 16 < bytes) step *= 2;
  if (in_region(device, bytes)) step = page;
  return (std::max<int64_t>(bytes, 1) + step - 1) / step * step;
}

}  // namespace

Buffer::~Buffer() {
  if (data_ != nullptr) arena_->give_back(data_, bytes_);
}

Buffer Arena::allocate(int64_t bytes) {
  require(bytes >= 0 && bytes <= std::numeric_limits<int64_t>::max() / 4, "memory: cannot allocate {} bytes", bytes);
  const int64_t block = block_size(device_, bytes);
  void* data = nullptr;
  if (in_region(device_, block)) data = host_region().allocate(block);
  if (data == nullptr) {
    const std::lock_guard lock(mutex_);
    auto found = free_.find(block);
    if (found != free_.end() && !found->second.empty()) {
      data = found->second.back();
      found->second.pop_back();
    }
  }
  const bool fresh = data == nullptr;
  if (fresh) {
    data = memory_functions(device_).allocate(block);
    if (data == nullptr) {
      release_unused();
      data = memory_functions(device_).allocate(block);
    }
    require(data != nullptr, "memory: device {} has no {} MB left", name_of(device_), block >> 20);
  }
  {
    const std::lock_guard lock(mutex_);
    if (fresh) {
      statistics_.reserved += block;
      ++statistics_.system_calls;
    }
    statistics_.in_use += block;
    statistics_.peak_in_use = std::max(statistics_.peak_in_use, statistics_.in_use);
  }
  // All bits set is NaN in f32 and f64. simt, which is there to find faults, always has it.
  if ((poisons && device_ != Device::cuda) || device_ == Device::simt)
    std::memset(data, 0xff, static_cast<std::size_t>(block));
  if (device_ == Device::simt) simt::set_array_size(data, bytes);
  if (device_ != Device::cuda) forbid(data, bytes, block);
  return Buffer(this, data, bytes);
}

void Arena::give_back(void* data, int64_t bytes) noexcept {
  const int64_t block = block_size(device_, bytes);
  const std::lock_guard lock(mutex_);
  statistics_.in_use -= block;
  if (in_region(device_, block)) {
    if (host_region().holds(data)) return host_region().free(data, block);
  }
  if (keeps_blocks) {
    if (device_ == Device::simt) simt::set_array_size(data, 0);
    free_[block].push_back(data);
  } else {
    statistics_.reserved -= block;
    if (device_ != Device::cuda) allow(data, block);
    memory_functions(device_).free(data, block);
  }
}

void Arena::release_unused() {
  const std::lock_guard lock(mutex_);
  for (auto& [block, list] : free_) {
    for (void* data : list) memory_functions(device_).free(data, block);
    statistics_.reserved -= block * static_cast<int64_t>(list.size());
  }
  free_.clear();
  if (in_region(device_, large_block)) host_region().release_unused();
}

Arena::~Arena() {
  release_unused();
}

ArenaStatistics Arena::statistics() const {
  const std::lock_guard lock(mutex_);
  ArenaStatistics statistics = statistics_;
  if (in_region(device_, large_block)) statistics.reserved += host_region().extent();
  return statistics;
}

void Arena::reset_peak() {
  const std::lock_guard lock(mutex_);
  statistics_.peak_in_use = statistics_.in_use;
}

Arena& arena(Device device) {
  // Never destroyed: tensors of static lifetime may outlive any order of destruction.
  static std::array<Arena*, 3> arenas{new Arena(Device::cpu), new Arena(Device::simt), new Arena(Device::cuda)};
  return *arenas[static_cast<std::size_t>(device)];
}

}  // namespace melgrad
