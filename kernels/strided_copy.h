// Copies between arrays whose elements lie at regular distances: what transposing, slicing, joining and padding are made
// of, and their gradients.
//
// A walk visits `shape`, the last axis fastest. Element (i, j, …) lies at offset + i·strides[0] + j·strides[1] + …, in
// elements. A stride may be 0 (an input that repeats) or negative (an input read backwards).
#pragma once

#include <array>

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

struct Walk {
  std::array<int64_t, Shape::max_rank> strides{};
  int64_t offset = 0;

  constexpr bool operator==(const Walk&) const = default;
};

// The walk over all of a contiguous array.
Walk contiguous_walk(const Shape& shape);

// y[at of y_walk] = x[at of x_walk] for every place of `shape`; other elements of y are left. x and y are any views of
// one element type and device, do not overlap, and a walk that leaves its view throws. No two places of y_walk may be
// the same element.
void strided_copy(Stream& stream, const Shape& shape, ConstView x, const Walk& x_walk, View y, const Walk& y_walk);

// The same with y += x, for f32 and f64.
void strided_add(Stream& stream, const Shape& shape, ConstView x, const Walk& x_walk, View y, const Walk& y_walk);

constexpr Cost strided_copy_cost(int64_t n, int64_t element_size) {
  return {0, 2 * n * element_size};
}
constexpr Cost strided_add_cost(int64_t n, int64_t element_size) {
  return {n, 3 * n * element_size};
}

struct StridedCopyFunctions {
  decltype(&strided_copy) copy;
  decltype(&strided_add) add;
};

}  // namespace melgrad
