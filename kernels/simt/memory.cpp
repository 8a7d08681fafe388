// Memory of the `simt` device: host memory that stands for a GPU's.
#include <cstdlib>
#include <cstring>

#include "kernels/memory.h"

namespace melgrad::simt {
namespace {

void* allocate(int64_t bytes) {
  constexpr int64_t alignment = 256;  // as cudaMalloc gives
  return std::aligned_alloc(alignment, static_cast<std::size_t>((bytes + alignment - 1) / alignment * alignment));
}

void free_block(void* data, int64_t) noexcept {
  std::free(data);
}

void copy_bytes(Stream&, void* to, const void* from, int64_t bytes) {
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

}  // namespace

extern const MemoryFunctions memory_functions;
const MemoryFunctions memory_functions{allocate, free_block, copy_bytes, copy_bytes};

}  // namespace melgrad::simt
