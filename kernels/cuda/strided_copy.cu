// Strided copies and additions.
//
// Algorithm: a thread finds the place of its element in both arrays; axes that both walks take as one are joined first,
// so a slice or a join costs one division or two, each a multiplication (Divider). Neighbouring threads write
// neighbouring elements along the last axis of the walk. Where the neighbours of x lie along another axis, these two axes
// are matrices to be transposed, in tiles (kernels/cuda/transpose.h).
// Bottleneck: global memory.
// Launch: blocks of 256 threads, enough to fill the GPU; no shared memory, or 4.2 KB for a tile.
#include <algorithm>
#include <iterator>
#include <optional>

#include "kernels/cuda/transpose.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;

template <bool accumulate, class T>
__global__ void __launch_bounds__(threads)
    strided_move_kernel(int64_t n, Walks<2> walks, Global<const T> x, Global<T> y) {
  for_each_index(n, [&](int64_t i) {
    int64_t places[2];
    walks.at(i, places);
    const T value = x[places[0]];
    if constexpr (accumulate)
      y[places[1]] += value;
    else
      y[places[1]] = value;
  });
}

// The walks as transposes, where the neighbours of y lie along one axis and those of x along another.
std::optional<Transposes> as_transposes(const Walks<2>& walks) {
  constexpr int64_t shortest = 16;  // of fewer, a tile would be mostly empty
  const auto axis_of_neighbours = [&](int array) {
    int axis = 0;
    while (axis < walks.rank && (walks.strides[axis][array] != 1 || walks.sizes[axis].divisor() < shortest)) ++axis;
    return axis;
  };
  const int columns = axis_of_neighbours(0), rows = axis_of_neighbours(1);
  if (rows == columns || std::max(rows, columns) == walks.rank) return {};
  Transposes matrices{.rows = walks.sizes[rows].divisor(),
                      .columns = walks.sizes[columns].divisor(),
                      .x_stride = walks.strides[rows][0],
                      .y_stride = walks.strides[columns][1]};
  Walks<2>& begins = matrices.begins;
  begins.rank = 0;
  std::copy(std::begin(walks.offsets), std::end(walks.offsets), begins.offsets);
  for (int axis = 0; axis < walks.rank; ++axis) {
    if (axis == rows || axis == columns) continue;
    begins.sizes[begins.rank] = walks.sizes[axis];
    std::copy(std::begin(walks.strides[axis]), std::end(walks.strides[axis]), begins.strides[begins.rank]);
    matrices.count *= walks.sizes[axis].divisor();
    ++begins.rank;
  }
  begins.rank = std::max(begins.rank, 1);
  return matrices;
}

template <bool accumulate, class T>
void move(Stream& stream, const Shape& shape, ConstView x, const Walk& x_walk, View y, const Walk& y_walk) {
  const int64_t n = shape.numel();
  if (n == 0) return;
  const Walks<2> walks = joined_walks<2>(shape, {x_walk, y_walk});
  if (const auto matrices = as_transposes(walks))
    return launch_transposes<accumulate, T>(stream, *matrices, global<const T>(x), global<T>(y));
  launch<strided_move_kernel<accumulate, T>>(striding_blocks(n, threads), threads, 0, stream, n, walks,
                                             global<const T>(x), global<T>(y));
}

void copy_all(Stream& stream, const Shape& shape, ConstView x, const Walk& x_walk, View y, const Walk& y_walk) {
  if (x.dtype == DType::i32) return move<false, int32_t>(stream, shape, x, x_walk, y, y_walk);
  move<false, float>(stream, shape, x, x_walk, y, y_walk);
}

void add_all(Stream& stream, const Shape& shape, ConstView x, const Walk& x_walk, View y, const Walk& y_walk) {
  move<true, float>(stream, shape, x, x_walk, y, y_walk);
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(StridedCopyFunctions, strided_copy, copy_all, add_all)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
