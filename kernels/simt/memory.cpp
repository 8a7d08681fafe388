// Memory of the `simt` device: host memory that stands for a GPU's.
#include "kernels/memory.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "kernels/simt/memory.h"

namespace melgrad::simt {
namespace {

// All blocks that are given out, by their first byte.
struct Blocks {
  std::mutex mutex;
  std::map<const std::byte*, int64_t> bytes;
};

Blocks& blocks() {
  static Blocks& all = *new Blocks;  // never destroyed: arenas outlive any order of destruction
  return all;
}

void* allocate(int64_t bytes) {
  constexpr int64_t alignment = 256;  // as cudaMalloc gives
  void* data = std::aligned_alloc(alignment, static_cast<std::size_t>((bytes + alignment - 1) / alignment * alignment));
  if (data == nullptr) return nullptr;
  const std::lock_guard lock(blocks().mutex);
  blocks().bytes[static_cast<const std::byte*>(data)] = bytes;
  return data;
}

void free_block(void* data, int64_t) noexcept {
  {
    const std::lock_guard lock(blocks().mutex);
    blocks().bytes.erase(static_cast<const std::byte*>(data));
  }
  std::free(data);
}

void copy_bytes(Stream&, void* to, const void* from, int64_t bytes) {
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

}  // namespace

MemoryBlock block_at(const void* address) {
  const auto* byte = static_cast<const std::byte*>(address);
  const std::lock_guard lock(blocks().mutex);
  auto after = blocks().bytes.upper_bound(byte);
  if (after == blocks().bytes.begin()) return {};
  const auto [begin, bytes] = *--after;
  return byte - begin < bytes ? MemoryBlock{begin, bytes} : MemoryBlock{};
}

extern const MemoryFunctions memory_functions;
const MemoryFunctions memory_functions{allocate, free_block, copy_bytes, copy_bytes};

}  // namespace melgrad::simt
