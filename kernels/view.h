// View and ConstView: borrowed, row-major, contiguous memory with a shape, an element type and a device. kernels/ sees
// nothing else; who owns the memory is tensor/'s business.
#pragma once

#include "kernels/device.h"
#include "kernels/dtype.h"
#include "kernels/shape.h"

namespace melgrad {

template <class Void>  // void or const void
struct BasicView {
  Void* data = nullptr;
  Shape shape;
  DType dtype = DType::f32;
  Device device = Device::cpu;

  int64_t numel() const { return shape.numel(); }
  int64_t bytes() const { return numel() * size_of(dtype); }

  // The elements as T; throws if they are something else.
  template <class T>
  auto as() const {
    using Pointer = std::conditional_t<std::is_const_v<Void>, const T*, T*>;
    if (dtype != dtype_of<T>)
      fail("view {}: elements are {}, not {}", shape.to_string(), name_of(dtype), name_of(dtype_of<T>));
    return static_cast<Pointer>(data);
  }

  operator BasicView<const void>() const requires(!std::is_const_v<Void>) { return {data, shape, dtype, device}; }
};

using View = BasicView<void>;
using ConstView = BasicView<const void>;

}  // namespace melgrad
