// The simt device's memory, seen from inside: which addresses are its own.
#pragma once

#include <cstddef>
#include <cstdint>

namespace melgrad::simt {

// An array: a block that MemoryFunctions gave out, or as much of one as the arena handed on.
struct MemoryArray {
  const std::byte* begin = nullptr;
  int64_t bytes = 0;
};

// The array that the address lies in; without begin where the device has none.
MemoryArray array_at(const void* address);

// Says how much of a block is in use from here on: none while it waits in the arena's free list.
void set_array_size(const void* block, int64_t bytes);

}  // namespace melgrad::simt
