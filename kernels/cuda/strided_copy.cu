// Strided copies and additions.
//
// Algorithm: a thread finds the place of its element in both arrays; axes that both walks take as one are joined first,
// so a slice or a join costs one division or two, each a multiplication (Divider). Neighbouring threads write
// neighbouring elements along the last axis of the walk.
// Bottleneck: global memory. A transpose reads one element of each 32-byte sector at a time and lives off the cache.
// Launch: blocks of 256 threads, enough to fill the GPU; no shared memory.
#include "kernels/cuda/walks.h"

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

template <bool accumulate, class T>
void move(Stream& stream, const Shape& shape, ConstView x, const Walk& x_walk, View y, const Walk& y_walk) {
  const int64_t n = shape.numel();
  if (n == 0) return;
  launch<strided_move_kernel<accumulate, T>>(striding_blocks(n, threads), threads, 0, stream, n,
                                             joined_walks<2>(shape, {x_walk, y_walk}), global<const T>(x),
                                             global<T>(y));
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
