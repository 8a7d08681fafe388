// Transposes of matrices, which may lie anywhere in two arrays.
//
// Algorithm: a block moves a tile of 32 × 32 through shared memory, so that both reading and writing go along rows: a
// warp touches 32 neighbouring floats each time. A tile's rows are 33 long: its columns then lie in different banks.
// Bottleneck: global memory, each element read and written once.
// Launch: 32 × 8 threads a tile, four rows each; 4.2 KB of shared memory.
#pragma once

#include "kernels/cuda/walks.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

inline constexpr int transpose_tile = 32, transpose_rows = 8;

// Element (row, column) of a matrix lies x_stride · row + column behind where the matrix begins in x, and y_stride · column
// + row behind where it begins in y.
struct Transposes {
  int64_t rows, columns, x_stride, y_stride;
  int64_t count = 1;     // of matrices
  Walks<2> begins = {};  // where each begins in x and in y
};

template <bool accumulate, class T>
__global__ void __launch_bounds__(transpose_tile* transpose_rows)
    transpose_kernel(Transposes matrices, Divider row_tiles, Divider column_tiles, Global<const T> x, Global<T> y) {
  __shared__ SharedArray<T, transpose_tile, transpose_tile + 1> tile;
  int64_t matrix = blockIdx.x, begin[2];
  const int64_t first_row = row_tiles.split(matrix) * transpose_tile;
  const int64_t first_column = column_tiles.split(matrix) * transpose_tile;
  matrices.begins.at(matrix, begin);
  for (int i = static_cast<int>(threadIdx.y); i < transpose_tile; i += transpose_rows) {
    const int64_t row = first_row + i, column = first_column + threadIdx.x;
    if (row < matrices.rows && column < matrices.columns)
      tile[i][threadIdx.x] = x[begin[0] + row * matrices.x_stride + column];
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.y); i < transpose_tile; i += transpose_rows) {
    const int64_t row = first_row + threadIdx.x, column = first_column + i;
    if (row >= matrices.rows || column >= matrices.columns) continue;
    const int64_t place = begin[1] + column * matrices.y_stride + row;
    const T value = tile[threadIdx.x][i];
    if constexpr (accumulate)
      y[place] += value;
    else
      y[place] = value;
  }
}

template <bool accumulate, class T>
void launch_transposes(Stream& stream, const Transposes& matrices, Global<const T> x, Global<T> y) {
  const Divider row_tiles(blocks_for(matrices.rows, transpose_tile)),
      column_tiles(blocks_for(matrices.columns, transpose_tile));
  const unsigned blocks = blocks_for(matrices.count * row_tiles.divisor() * column_tiles.divisor(), 1);
  launch<transpose_kernel<accumulate, T>>(blocks, dim3(transpose_tile, transpose_rows), 0, stream, matrices, row_tiles,
                                          column_tiles, x, y);
}

// y (columns, rows) = the transpose of x (rows, columns).
template <class T>
void transpose(Stream& stream, int64_t rows, int64_t columns, Global<const T> x, Global<T> y) {
  launch_transposes<false, T>(stream, {.rows = rows, .columns = columns, .x_stride = columns, .y_stride = rows}, x, y);
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
