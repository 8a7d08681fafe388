// Reference of strided copies: the definition, as loops. See kernels/strided_copy.h.
#pragma once

#include "kernels/reference/indexing.h"
#include "kernels/strided_copy.h"

namespace melgrad::reference {

inline int64_t place(const Walk& walk, const Coordinates& at) {
  int64_t index = walk.offset;
  for (std::size_t axis = 0; axis < at.size(); ++axis) index += walk.strides[axis] * at[axis];
  return index;
}

template <class T>
void strided_copy(const Shape& shape, ConstView x, const Walk& x_walk, View y, const Walk& y_walk) {
  for (int64_t i = 0; i < shape.numel(); ++i) {
    const Coordinates at = coordinates(shape, i);
    y.as<T>()[place(y_walk, at)] = x.as<T>()[place(x_walk, at)];
  }
}

template <class T>
void strided_add(const Shape& shape, ConstView x, const Walk& x_walk, View y, const Walk& y_walk) {
  for (int64_t i = 0; i < shape.numel(); ++i) {
    const Coordinates at = coordinates(shape, i);
    y.as<T>()[place(y_walk, at)] += x.as<T>()[place(x_walk, at)];
  }
}

}  // namespace melgrad::reference
