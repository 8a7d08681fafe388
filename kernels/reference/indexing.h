// Where an element lies, for the references of operations that broadcast or reduce.
#pragma once

#include <array>

#include "kernels/shape.h"

namespace melgrad::reference {

using Coordinates = std::array<int64_t, Shape::max_rank>;

// The coordinates of element `index` of a row-major array of `shape`.
inline Coordinates coordinates(const Shape& shape, int64_t index) {
  Coordinates at{};
  for (int64_t axis = shape.rank(); axis-- > 0; index /= shape[axis])
    at[static_cast<std::size_t>(axis)] = index % shape[axis];
  return at;
}

// The element of an array of shape `small` that is repeated at `at` of shape `large`: axes align at the last one, and
// an axis of size 1 has one element for all.
inline int64_t offset(const Shape& small, const Shape& large, const Coordinates& at) {
  int64_t index = 0;
  for (int64_t axis = 0; axis < small.rank(); ++axis) {
    const auto in_large = static_cast<std::size_t>(axis + large.rank() - small.rank());
    index = index * small[axis] + (small[axis] == 1 ? 0 : at[in_large]);
  }
  return index;
}

}  // namespace melgrad::reference
