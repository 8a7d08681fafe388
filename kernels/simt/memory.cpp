// Memory of the `simt` device: host memory that stands for a GPU's.
#include "kernels/memory.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "kernels/simt/memory.h"

namespace melgrad::simt {
namespace {

// The bytes in use of every block that is given out, by its first byte.
struct Arrays {
  std::mutex mutex;
  std::map<const std::byte*, int64_t> bytes;
};

Arrays& arrays() {
  static Arrays& all = *new Arrays;  // never destroyed: arenas outlive any order of destruction
  return all;
}

void* allocate(int64_t bytes) {
  constexpr int64_t alignment = 256;  // as cudaMalloc gives
  void* data = std::aligned_alloc(alignment, static_cast<std::size_t>((bytes + alignment - 1) / alignment * alignment));
  if (data == nullptr) return nullptr;
  const std::lock_guard lock(arrays().mutex);
  arrays().bytes[static_cast<const std::byte*>(data)] = bytes;
  return data;
}

void free_block(void* data, int64_t) noexcept {
  {
    const std::lock_guard lock(arrays().mutex);
    arrays().bytes.erase(static_cast<const std::byte*>(data));
  }
  std::free(data);
}

void copy_bytes(Stream&, void* to, const void* from, int64_t bytes) {
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

}  // namespace

MemoryArray array_at(const void* address) {
  const auto* byte = static_cast<const std::byte*>(address);
  const std::lock_guard lock(arrays().mutex);
  auto after = arrays().bytes.upper_bound(byte);
  if (after == arrays().bytes.begin()) return {};
  const auto [begin, bytes] = *--after;
  return byte - begin < bytes ? MemoryArray{begin, bytes} : MemoryArray{};
}

void set_array_size(const void* block, int64_t bytes) {
  const std::lock_guard lock(arrays().mutex);
  arrays().bytes[static_cast<const std::byte*>(block)] = bytes;
}

extern const MemoryFunctions memory_functions;
const MemoryFunctions memory_functions{allocate, free_block, copy_bytes, copy_bytes};

}  // namespace melgrad::simt
