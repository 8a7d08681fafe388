// Shared memory: `__shared__ SharedArray<float, 16, 65> tile;` and dynamic_shared<float>(bytes).
//
// Each thread of a block runs through the declaration, and all get the same memory. It starts as NaN, so that a tile
// read before it is written shows.
#pragma once

#include "kernels/simt/pointer.h"

namespace melgrad::simt {

// A row of a shared array. Each index is checked against its own dimension: a step past the end of a row is an error
// even where the array goes on.
template <class T, int64_t size, int64_t... inner>
class SharedRow {
 public:
  explicit SharedRow(std::byte* begin) : begin_(begin) {}

  auto operator[](Index index) const {
    if (index.value < 0 || index.value >= size) [[unlikely]]
      report_out_of_bounds(begin_, index.value, size, index.where);
    std::byte* element = begin_ + index.value * stride;
    if constexpr (sizeof...(inner) == 0) {
      return Reference<T, Space::shared>(reinterpret_cast<T*>(element), index.where);
    } else {
      return SharedRow<T, inner...>(element);
    }
  }

  operator Shared<T>() const requires(sizeof...(inner) == 0) { return {begin_, size * stride, 0}; }

 private:
  static constexpr int64_t stride = (int64_t{sizeof(T)} * ... * inner);
  std::byte* begin_;
};

template <class T, int64_t size, int64_t... inner>
class SharedArray : public SharedRow<T, size, inner...> {
 public:
  explicit SharedArray(std::source_location where = std::source_location::current())
      : SharedRow<T, size, inner...>(
            shared_storage(int64_t{sizeof(T)} * (size * ... * inner), typeid(SharedArray), where)) {}
};

// The shared memory that the launch asked for, from byte `offset` on.
template <class T>
Shared<T> dynamic_shared(int64_t offset = 0) {
  const SharedRange range = dynamic_shared_storage();
  return {range.begin, range.bytes, offset};
}

}  // namespace melgrad::simt
