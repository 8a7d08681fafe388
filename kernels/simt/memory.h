// The simt device's memory, seen from inside: which addresses are its own.
#pragma once

#include <cstddef>
#include <cstdint>

namespace melgrad::simt {

// A block as the device's MemoryFunctions gave it out.
struct MemoryBlock {
  const std::byte* begin = nullptr;
  int64_t bytes = 0;
};

// The block that the address lies in; without begin where the device has none.
MemoryBlock block_at(const void* address);

}  // namespace melgrad::simt
