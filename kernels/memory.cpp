#include "kernels/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
namespace {

constexpr int64_t huge_page = int64_t{2} << 20;

void* allocate(int64_t bytes) {
  const bool large = bytes >= huge_page;
  const int64_t alignment = large ? huge_page : 64;
  const auto size = static_cast<std::size_t>((bytes + alignment - 1) / alignment * alignment);
  void* data = std::aligned_alloc(static_cast<std::size_t>(alignment), size);
#if defined(MADV_HUGEPAGE)
  if (data != nullptr && large) madvise(data, size, MADV_HUGEPAGE);
#endif
  return data;
}

void free_block(void* data, int64_t) noexcept {
  std::free(data);
}

void copy_bytes(Stream&, void* to, const void* from, int64_t bytes) {
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

}  // namespace

const MemoryFunctions memory_functions{allocate, free_block, copy_bytes, copy_bytes};

}  // namespace cpu
namespace simt {
extern const MemoryFunctions memory_functions;
}

const MemoryFunctions& memory_functions(Device device) {
  return functions_for("memory", device, &cpu::memory_functions, &simt::memory_functions);
}

void copy(ConstView from, View to) {
  expect_shape("copy", "to", to, from.shape);
  expect_dtype("copy", "to", to, from.dtype);
  if (from.numel() == 0) return;
  if (to.device == Device::cpu) {
    memory_functions(from.device).to_host(default_stream(from.device), to.data, from.data, from.bytes());
  } else if (from.device == Device::cpu) {
    memory_functions(to.device).from_host(default_stream(to.device), to.data, from.data, from.bytes());
  } else {
    Buffer host = arena(Device::cpu).allocate(from.bytes());
    const View between{host.data(), from.shape, from.dtype, Device::cpu};
    copy(from, between);
    copy(between, to);
  }
}

namespace {

template <class T>
void fill_host(View view, double value) {
  std::fill_n(view.as<T>(), view.numel(), static_cast<T>(value));
}

}  // namespace

void fill(View view, double value) {
  if (view.device != Device::cpu) {
    Buffer host = arena(Device::cpu).allocate(view.bytes());
    const View source{host.data(), view.shape, view.dtype, Device::cpu};
    fill(source, value);
    return copy(source, view);
  }
  switch (view.dtype) {
    case DType::f32:
      return fill_host<float>(view, value);
    case DType::f64:
      return fill_host<double>(view, value);
    case DType::i32:
      return fill_host<int32_t>(view, value);
    case DType::u8:
      return fill_host<uint8_t>(view, value);
  }
}

Stream& default_stream(Device device) {
  static Stream streams[] = {Stream(Device::cpu), Stream(Device::simt), Stream(Device::cuda)};
  return streams[static_cast<int>(device)];
}

}  // namespace melgrad
