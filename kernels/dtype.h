// Element types. f64 runs the reference implementation, on the CPU only; see docs/adding-an-operation.md.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/enum_names.h"

namespace melgrad {

enum class DType : uint8_t { f32, f64, i32, u8 };

template <>
inline constexpr EnumNames<DType, 4> enum_names<DType>{
    {{DType::f32, "f32"}, {DType::f64, "f64"}, {DType::i32, "i32"}, {DType::u8, "u8"}}};

constexpr int64_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return 4;
    case DType::f64:
      return 8;
    case DType::i32:
      return 4;
    case DType::u8:
      return 1;
  }
  return 0;
}

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType value = DType::u8;
};

template <class T>
inline constexpr DType dtype_of = DTypeOf<std::remove_const_t<T>>::value;

}  // namespace melgrad
