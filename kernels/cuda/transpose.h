// The transpose of a matrix.
//
// Algorithm: a block moves a tile of 32 × 32 through shared memory, so that both reading and writing go along rows: a
// warp touches 32 neighbouring floats each time. A tile's rows are 33 long: its columns then lie in different banks.
// Bottleneck: global memory, each element read and written once.
// Launch: 32 × 8 threads a tile, four rows each; 4.2 KB of shared memory.
#pragma once

#include "kernels/cuda/portability.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

inline constexpr int transpose_tile = 32, transpose_rows = 8;

template <class T>
__global__ void __launch_bounds__(transpose_tile* transpose_rows)
    transpose_kernel(int64_t rows, int64_t columns, Global<const T> x, Global<T> y) {
  __shared__ SharedArray<T, transpose_tile, transpose_tile + 1> tile;
  const int64_t first_row = int64_t{blockIdx.x} * transpose_tile, first_column = int64_t{blockIdx.y} * transpose_tile;
  for (int i = static_cast<int>(threadIdx.y); i < transpose_tile; i += transpose_rows) {
    const int64_t row = first_row + i, column = first_column + threadIdx.x;
    if (row < rows && column < columns) tile[i][threadIdx.x] = x[row * columns + column];
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.y); i < transpose_tile; i += transpose_rows) {
    const int64_t row = first_row + threadIdx.x, column = first_column + i;
    if (row < rows && column < columns) y[column * rows + row] = tile[threadIdx.x][i];
  }
}

// y (columns, rows) = the transpose of x (rows, columns).
template <class T>
void transpose(Stream& stream, int64_t rows, int64_t columns, Global<const T> x, Global<T> y) {
  const dim3 grid(blocks_for(rows, transpose_tile), blocks_for(columns, transpose_tile));
  launch<transpose_kernel<T>>(grid, dim3(transpose_tile, transpose_rows), 0, stream, rows, columns, x, y);
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
