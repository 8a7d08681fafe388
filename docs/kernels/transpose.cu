// Transposing a matrix: the reference, three kernels, their check. docs/kernels/transpose.md tells what they show.
#include "docs/kernels/lesson.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int side = 32;         // of the tile that a block moves
constexpr int rows_at_once = 8;  // a block of 32 × 8 threads moves it in four rounds

// y (columns, rows) of x (rows, columns).
Numbers transpose_reference(const Numbers& x, int64_t rows, int64_t columns) {
  Numbers y(x.size());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      y[static_cast<std::size_t>(column * rows + row)] = x[static_cast<std::size_t>(row * columns + column)];
  return y;
}

__global__ void __launch_bounds__(side* rows_at_once)
    transpose_naive_kernel(Global<const float> x, Global<float> y, int64_t rows, int64_t columns) {
  const int64_t first_row = int64_t{blockIdx.y} * side;
  const int64_t column = int64_t{blockIdx.x} * side + threadIdx.x;
  for (int64_t row = first_row + threadIdx.y; row < first_row + side; row += rows_at_once)
    if (row < rows && column < columns) y[column * rows + row] = x[row * columns + column];
}

template <int pad>
__global__ void __launch_bounds__(side* rows_at_once)
    transpose_tiled_kernel(Global<const float> x, Global<float> y, int64_t rows, int64_t columns) {
  __shared__ SharedArray<float, side, side + pad> tile;
  const int64_t first_row = int64_t{blockIdx.y} * side, first_column = int64_t{blockIdx.x} * side;
  const unsigned lane = threadIdx.x;
  for (unsigned i = threadIdx.y; i < side; i += rows_at_once)
    if (first_row + i < rows && first_column + lane < columns)
      tile[i][lane] = x[(first_row + i) * columns + first_column + lane];
  __syncthreads();
  for (unsigned i = threadIdx.y; i < side; i += rows_at_once)
    if (first_column + i < columns && first_row + lane < rows)
      y[(first_column + i) * rows + first_row + lane] = tile[lane][i];
}

template <auto kernel>
void show(Lesson& lesson, const std::string& name, int64_t rows, int64_t columns) {
  const Numbers numbers = some_numbers(rows * columns, 1);
  const Array x({rows, columns}, numbers), y({columns, rows});
  lesson.heading(name);
  lesson.measure(
      [&](Stream& stream) {
        launch<kernel>(dim3(blocks_for(columns, side), blocks_for(rows, side)), dim3(side, rows_at_once), 0, stream,
                       global<const float>(x.view), global<float>(y.view), rows, columns);
      },
      {0, 8 * rows * columns});
  lesson.check(name, y, transpose_reference(numbers, rows, columns));
}

}  // namespace

void transpose_lesson(Lesson& lesson) {
  show<transpose_naive_kernel>(lesson, "naive, 64 × 64", 64, 64);
  show<transpose_tiled_kernel<0>>(lesson, "tiled, 64 × 64", 64, 64);
  show<transpose_tiled_kernel<1>>(lesson, "tiled and padded, 64 × 64", 64, 64);
  show<transpose_tiled_kernel<1>>(lesson, "tiled and padded, 50 × 70", 50, 70);
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
