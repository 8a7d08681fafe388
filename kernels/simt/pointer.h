// Global<T> and Shared<T>: what a kernel has for a pointer, with every access checked.
//
// A pointer knows the array that it came from, and an access outside of it is an error with the kernel's source line.
// Under nvcc both are plain T*. What is written below is therefore what T* can do, less what could not be seen here:
// - elements are loaded and stored through Reference, which is used up on the spot: `float v = y[i];`, `y[i] = v;`.
//   (`auto v = y[i];` on a mutable array gives a Reference that cannot be read.)
// - `x + i` moves on; there is no `&x[i]` and no `x++`.
// All loads and all stores pass through Reference, which tells the engine of each in programs that are built to record
// (recording.h).
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <type_traits>

#include "kernels/simt/engine.h"
#include "kernels/simt/recording.h"

namespace melgrad::simt {

enum class Space : uint8_t { global, shared };

#if defined(MELGRAD_SIMT_RECORD)
constexpr bool records_accesses = true;
#else
constexpr bool records_accesses = false;
#endif

// An array index that remembers the source line it was written in.
struct Index {
  template <std::integral Integer>
  constexpr Index(Integer integer, std::source_location location = std::source_location::current())
      : value(static_cast<int64_t>(integer)), where(location) {}
  int64_t value;
  std::source_location where;
};

// The array of `size` elements that begins there has none of this index.
[[noreturn]] void report_out_of_bounds(const void* begin, int64_t index, int64_t size,
                                       const std::source_location& where);
[[noreturn]] void report_misaligned(const void* begin, int64_t index, int64_t alignment,
                                    const std::source_location& where);

// One element of an array, with the source line that names it.
template <class T, Space space>
class Reference {
 public:
  Reference(T* element, const std::source_location& where) : element_(element), where_(where) {}

  operator std::remove_const_t<T>() && { return load(); }
  T operator=(T value) && { return store(value); }
  T operator=(Reference&& other) && { return store(other.load()); }
  T operator+=(T value) && { return store(load() + value); }
  T operator-=(T value) && { return store(load() - value); }
  T operator*=(T value) && { return store(load() * value); }

  std::remove_const_t<T> load() const {
    record(space == Space::global ? Access::global_load : Access::shared_load);
    return *element_;
  }

 private:
  T store(T value) const {
    record(space == Space::global ? Access::global_store : Access::shared_store);
    return *element_ = value;
  }
  void record(Access access) const {
    constexpr std::size_t most = 16;  // bytes that a thread fetches at once
    if constexpr (records_accesses) record_access(access, element_, sizeof(T), std::min(alignof(T), most), where_);
  }

  T* element_;
  std::source_location where_;
};

template <class T, Space space>
class Pointer {
 public:
  using Byte = std::conditional_t<std::is_const_v<T>, const std::byte, std::byte>;

  Pointer() = default;
  Pointer(T* data, int64_t elements)
      : begin_(reinterpret_cast<Byte*>(data)), bytes_(elements * static_cast<int64_t>(sizeof(T))) {}
  Pointer(Byte* begin, int64_t bytes, int64_t offset) : begin_(begin), bytes_(bytes), offset_(offset) {}

  // From mutable elements to const ones.
  operator Pointer<const T, space>() const requires(!std::is_const_v<T>) { return {begin_, bytes_, offset_}; }

  auto operator[](Index index) const {
    if constexpr (std::is_const_v<T>)
      return Reference<T, space>(checked(index), index.where).load();
    else
      return Reference<T, space>(checked(index), index.where);
  }

  template <std::integral Integer>
  Pointer operator+(Integer elements) const {
    return {begin_, bytes_, offset_ + static_cast<int64_t>(elements) * size};
  }
  template <std::integral Integer>
  Pointer operator-(Integer elements) const {
    return {begin_, bytes_, offset_ - static_cast<int64_t>(elements) * size};
  }

  // The same bytes as elements of another type.
  template <class U>
  Pointer<U, space> cast() const {
    return {begin_, bytes_, offset_};
  }

 private:
  static constexpr int64_t size = sizeof(T);

  T* checked(const Index& index) const {
    const int64_t offset = offset_ + index.value * size;
    if (offset < 0 || offset > bytes_ - size) [[unlikely]]
      report_out_of_bounds(begin_, offset / size - (offset % size < 0), bytes_ / size, index.where);
    T* element = reinterpret_cast<T*>(begin_ + offset);
    if (reinterpret_cast<uintptr_t>(element) % alignof(T) != 0) [[unlikely]]
      report_misaligned(begin_, offset / size, alignof(T), index.where);
    return element;
  }

  // Offsets, not a pointer: it may stray outside of the array as long as nothing is accessed there.
  Byte* begin_ = nullptr;
  int64_t bytes_ = 0;
  int64_t offset_ = 0;
};

template <class T>
using Global = Pointer<T, Space::global>;
template <class T>
using Shared = Pointer<T, Space::shared>;

// vector_cast<const float4>(x)[i]: four elements in one access.
template <class Vector, class T, Space space>
Pointer<Vector, space> vector_cast(const Pointer<T, space>& pointer) {
  return pointer.template cast<Vector>();
}

}  // namespace melgrad::simt
