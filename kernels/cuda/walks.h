// Several arrays visited together over one shape, each with strides of its own: broadcasting, strided copies, reductions
// over any axes.
#pragma once

#include <array>

#include "kernels/cuda/helpers.h"
#include "kernels/strided_copy.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

// Handed to a kernel by value.
template <int arrays>
struct Walks {
  int rank = 1;
  Divider sizes[Shape::max_rank];  // innermost first
  int64_t strides[Shape::max_rank][arrays] = {};
  int64_t offsets[arrays] = {};

  // Where place `index` of the shape lies in each array.
  __device__ __forceinline__ void at(int64_t index, int64_t (&places)[arrays]) const {
    MELGRAD_UNROLL
    for (int array = 0; array < arrays; ++array) places[array] = offsets[array];
    for (int axis = 0; axis + 1 < rank; ++axis) add(axis, sizes[axis].split(index), places);
    add(rank - 1, index, places);
  }

 private:
  __device__ __forceinline__ void add(int axis, int64_t steps, int64_t (&places)[arrays]) const {
    MELGRAD_UNROLL
    for (int array = 0; array < arrays; ++array) places[array] += steps * strides[axis][array];
  }
};

// Neighbouring axes over which every array goes on as over one are joined: fewer divisions a thread.
template <int arrays>
Walks<arrays> joined_walks(const Shape& shape, const std::array<Walk, arrays>& walks) {
  Walks<arrays> joined;
  joined.rank = 0;
  int64_t size = 1;
  for (int64_t axis = shape.rank(); axis-- > 0;) {
    if (shape[axis] == 1) continue;
    const auto at = static_cast<std::size_t>(axis);
    bool goes_on = joined.rank > 0;
    for (std::size_t array = 0; goes_on && array < arrays; ++array)
      goes_on = walks[array].strides[at] == joined.strides[joined.rank - 1][array] * size;
    size = goes_on ? size * shape[axis] : shape[axis];
    if (!goes_on) {
      for (std::size_t array = 0; array < arrays; ++array)
        joined.strides[joined.rank][array] = walks[array].strides[at];
      ++joined.rank;
    }
    joined.sizes[joined.rank - 1] = Divider(size);
  }
  joined.rank = std::max(joined.rank, 1);
  for (std::size_t array = 0; array < arrays; ++array) joined.offsets[array] = walks[array].offset;
  return joined;
}

// The walk over `small` as it repeats in `large`: stride 0 along what it lacks.
inline Walk broadcast_walk(const Shape& small, const Shape& large) {
  const Walk dense = contiguous_walk(small);
  Walk walk;
  for (int64_t axis = 0; axis < small.rank(); ++axis) {
    const auto to = static_cast<std::size_t>(axis + large.rank() - small.rank());
    walk.strides[to] = small[axis] == 1 ? 0 : dense.strides[static_cast<std::size_t>(axis)];
  }
  return walk;
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
