#include "kernels/simt/libraries/operands.h"

#include <cstring>

#include "kernels/error.h"
#include "kernels/simt/memory.h"

namespace melgrad::simt {

Operands::Operands(std::string_view call, cudaStream_t stream) : call_(call) {
  require(stream == main_stream(), "simt: {}: on another stream than the kernels: tell the library of main_stream()",
          call);
}

void Operands::read(std::string_view name, const void* data, int64_t first, int64_t last) {
  add(name, data, first, last, false);
}

void Operands::write(std::string_view name, void* data, int64_t first, int64_t last) {
  add(name, data, first, last, true);
}

void Operands::scratch(std::string_view name, void* data, int64_t bytes) {
  if (bytes == 0) return;
  add(name, data, 0, bytes, true);
  std::memset(data, 0xff, static_cast<std::size_t>(bytes));
}

void Operands::host(std::string_view name, const void* data) const {
  require(array_at(data).begin == nullptr, "simt: {}: {} is memory of the device, expected of the host", call_, name);
}

void Operands::aligned(std::string_view name, const void* data, int64_t alignment) const {
  require(reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(alignment) == 0,
          "simt: {}: {} is not aligned to {} bytes", call_, name, alignment);
}

void Operands::add(std::string_view name, const void* data, int64_t first, int64_t last, bool written) {
  if (first == last) return;
  const MemoryArray array = array_at(data);
  require(array.begin != nullptr, "simt: {}: {} is not memory of the device", call_, name);
  const auto* byte = static_cast<const std::byte*>(data);
  const int64_t offset = byte - array.begin;
  require(offset + first >= 0 && offset + last <= array.bytes,
          "simt: {}: {} takes bytes {} to {} of an array that has {}", call_, name, offset + first, offset + last - 1,
          array.bytes);
  const Range range{std::string(name), byte + first, byte + last, written};
  for (const Range& other : ranges_) {
    const bool overlap = range.begin < other.end && other.begin < range.end;
    require(!overlap || (!written && !other.written), "simt: {}: {} overlaps {}", call_, name, other.name);
  }
  ranges_.push_back(range);
}

}  // namespace melgrad::simt
