#include "tests/kernels/fenced_array.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/error.h"
#include "kernels/memory.h"

namespace melgrad::test {
namespace {

constexpr int64_t page = 4096, canary_bytes = 256;
constexpr unsigned char canary = 0xA5;

template <class T>
void convert(const std::vector<double>& from, View to) {
  std::transform(from.begin(), from.end(), to.as<T>(), [](double value) { return static_cast<T>(value); });
}

template <class T>
std::vector<double> converted(ConstView from) {
  return {from.as<T>(), from.as<T>() + from.numel()};
}

// So many bytes between two forbidden pages.
void* map_between_fences(int64_t bytes) {
  void* all = mmap(nullptr, static_cast<std::size_t>(bytes + 2 * page), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(all != MAP_FAILED, "test: no memory for an array of {} bytes", bytes);
  char* data = static_cast<char*>(all) + page;
  const int refused = bytes == 0 ? 0 : mprotect(data, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE);
  require(refused == 0, "test: no memory for an array of {} bytes", bytes);
  return data;
}

}  // namespace

FencedArray::FencedArray(const Shape& shape, DType dtype, Device device, Fence fence)
    : view_{nullptr, shape, dtype, device} {
  take_memory(fence);
  std::vector<unsigned char> bytes(static_cast<std::size_t>(bytes_), canary);
  std::memset(bytes.data() + before_, 0xff, static_cast<std::size_t>(view_.bytes()));
  const View around{static_cast<char*>(view_.data) - before_, Shape{bytes_}, DType::u8, device};
  copy({bytes.data(), Shape{bytes_}, DType::u8}, around);
}

void FencedArray::take_memory(Fence fence) {
  if (view_.device == Device::cpu) {
    bytes_ = (view_.bytes() + page - 1) / page * page;
    before_ = fence == Fence::behind ? bytes_ - view_.bytes() : 0;
    pages_ = map_between_fences(bytes_);
  } else {
    // simt knows where an array begins and ends: it has nothing around it there.
    before_ = view_.device == Device::simt ? 0 : canary_bytes;
    bytes_ = view_.bytes() + 2 * before_;
    buffer_ = arena(view_.device).allocate(bytes_);
  }
  view_.data = static_cast<char*>(pages_ != nullptr ? pages_ : buffer_.data()) + before_;
}

FencedArray::FencedArray(FencedArray&& other) noexcept
    : buffer_(std::move(other.buffer_)),
      pages_(std::exchange(other.pages_, nullptr)),
      bytes_(other.bytes_),
      before_(other.before_),
      view_(other.view_) {}

FencedArray::~FencedArray() {
  if (pages_ != nullptr) munmap(static_cast<char*>(pages_) - page, static_cast<std::size_t>(bytes_ + 2 * page));
}

void FencedArray::set(const std::vector<double>& values) {
  const Buffer buffer = arena(Device::cpu).allocate(view_.bytes());
  const View host{buffer.data(), view_.shape, view_.dtype};
  switch (view_.dtype) {
    case DType::f32:
      convert<float>(values, host);
      break;
    case DType::f64:
      convert<double>(values, host);
      break;
    case DType::i32:
      convert<int32_t>(values, host);
      break;
    case DType::u8:
      convert<uint8_t>(values, host);
      break;
  }
  copy(host, view_);
}

std::vector<double> FencedArray::values() const {
  const Buffer buffer = arena(Device::cpu).allocate(view_.bytes());
  const View host{buffer.data(), view_.shape, view_.dtype};
  copy(view_, host);
  switch (view_.dtype) {
    case DType::f32:
      return converted<float>(host);
    case DType::f64:
      return converted<double>(host);
    case DType::i32:
      return converted<int32_t>(host);
    case DType::u8:
      return converted<uint8_t>(host);
  }
  return {};
}

bool FencedArray::canaries_live() const {
  std::vector<unsigned char> bytes(static_cast<std::size_t>(bytes_));
  const View around{static_cast<char*>(view_.data) - before_, Shape{bytes_}, DType::u8, view_.device};
  copy(around, {bytes.data(), Shape{bytes_}, DType::u8});
  const auto alive = [](unsigned char byte) { return byte == canary; };
  const auto begin = bytes.begin() + before_;
  return std::all_of(bytes.begin(), begin, alive) && std::all_of(begin + view_.bytes(), bytes.end(), alive);
}

void FencedArrays::add(const Shape& shape, DType dtype, Device device, Fence fence) {
  arrays.emplace_back(shape, dtype, device, fence);
  views.push_back(arrays.back().view());
  const_views.push_back(views.back());
}

}  // namespace melgrad::test
