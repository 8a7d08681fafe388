// Reductions down the columns of matrices (rows, channels), channels-last: bias and batch norm, and what reduce.cu makes
// of any axes.
//
// Algorithm: a block takes a chunk of rows and up to 256 channels. Its threads read whole rows side by side, so accesses
// are contiguous for any number of channels, and each adds up one channel of every few rows; a tree in shared memory
// adds the threads of a channel. The chunks' results, at most 512, are then rows of a matrix that one more launch
// reduces likewise. Chunks are cut by the size of the matrix alone: the same bits every time.
// Bottleneck: global memory, each element read once.
// Launch: blocks of 256 threads, one a chunk and tile of channels; 256 values of shared memory.
#pragma once

#include "kernels/cuda/helpers.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

inline constexpr int column_threads = 256;

struct ColumnTiles {
  int64_t rows, channels, rows_per_chunk, chunks;
  Divider tiles, chunk_divider;

  // One chunk where `whole`.
  ColumnTiles(int64_t rows_of_all, int64_t channels_of_all, bool whole) : rows(rows_of_all), channels(channels_of_all) {
    constexpr int64_t rows_per_thread = 32, most_chunks = 512;
    const int64_t rows_at_once = std::max<int64_t>(1, column_threads / std::max<int64_t>(1, channels));
    rows_per_chunk = std::max(rows_at_once * rows_per_thread, (rows + most_chunks - 1) / most_chunks);
    if (whole) rows_per_chunk = std::max<int64_t>(1, rows);
    chunks = std::max<int64_t>(1, (rows + rows_per_chunk - 1) / rows_per_chunk);
    tiles = Divider(std::max<int64_t>(1, (channels + column_threads - 1) / column_threads));
    chunk_divider = Divider(chunks);
  }
};

// `source` says what is reduced: source.add(value, matrix, row, channel) adds an element to a Source::Value,
// Source::combine(a, b) joins two of them, Source::none() is that of no elements. finish(matrix, chunk, channel, value)
// takes the result.
template <class Source, class Finish>
__global__ void __launch_bounds__(column_threads) column_reduce_kernel(Source source, Finish finish, ColumnTiles plan) {
  __shared__ SharedArray<typename Source::Value, column_threads> partial;
  int64_t matrix = blockIdx.x;
  const int64_t first_channel = plan.tiles.split(matrix) * column_threads;
  const int64_t chunk = plan.chunk_divider.split(matrix);
  const int thread = static_cast<int>(threadIdx.x);
  const int width = static_cast<int>(std::min(int64_t{column_threads}, plan.channels - first_channel));
  const int rows_at_once = column_threads / width;
  const int row = thread / width;
  const int64_t channel = first_channel + thread % width;

  typename Source::Value value = Source::none();
  if (row < rows_at_once) {
    const int64_t end = std::min((chunk + 1) * plan.rows_per_chunk, plan.rows);
    for (int64_t i = chunk * plan.rows_per_chunk + row; i < end; i += rows_at_once)
      source.add(value, matrix, i, channel);
  }
  partial[thread] = value;
  __syncthreads();
  for (int rows = rows_at_once; rows > 1;) {
    const int half = (rows + 1) / 2;  // the rows from here on are added to those before
    if (row + half < rows) {
      const typename Source::Value other = partial[thread + half * width];
      value = Source::combine(value, other);
      partial[thread] = value;
    }
    __syncthreads();
    rows = half;
  }
  if (row == 0) finish(matrix, chunk, channel, value);
}

// The second launch's source, and the first one's finish.
template <class Source>
struct ColumnPartials {
  using Value = typename Source::Value;
  Global<Value> values;
  int64_t chunks, channels;

  __device__ static Value none() { return Source::none(); }
  __device__ static Value combine(Value a, Value b) { return Source::combine(a, b); }
  __device__ void add(Value& value, int64_t matrix, int64_t chunk, int64_t channel) const {
    const Value other = values[(matrix * chunks + chunk) * channels + channel];
    value = combine(value, other);
  }
  __device__ void operator()(int64_t matrix, int64_t chunk, int64_t channel, Value value) const {
    values[(matrix * chunks + chunk) * channels + channel] = value;
  }
};

template <class Source, class Finish>
void launch_column_reduce(Stream& stream, int64_t matrices, const ColumnTiles& plan, Source source, Finish finish) {
  launch<column_reduce_kernel<Source, Finish>>(blocks_for(matrices * plan.chunks * plan.tiles.divisor(), 1),
                                               column_threads, 0, stream, source, finish, plan);
}

// Reduces each of `matrices` down its columns.
template <class Source, class Finish>
void reduce_columns(Stream& stream, int64_t matrices, int64_t rows, int64_t channels, Source source, Finish finish) {
  if (matrices == 0 || channels == 0) return;
  const ColumnTiles plan(rows, channels, false);
  if (plan.chunks == 1) return launch_column_reduce(stream, matrices, plan, source, finish);
  const int64_t count = matrices * plan.chunks * channels;
  const Buffer buffer = stream.workspace(count * static_cast<int64_t>(sizeof(typename Source::Value)));
  const ColumnPartials<Source> partials{global<typename Source::Value>(buffer), plan.chunks, channels};
  launch_column_reduce(stream, matrices, plan, source, partials);
  launch_column_reduce(stream, matrices, ColumnTiles(plan.chunks, channels, true), partials, finish);
}

struct SumRows {
  using Value = float;
  Global<const float> x;
  int64_t channels;

  __device__ static float none() { return 0.0f; }
  __device__ static float combine(float a, float b) { return a + b; }
  __device__ void add(float& value, int64_t, int64_t row, int64_t channel) const {
    value += x[row * channels + channel];
  }
};
struct StoreRow {
  Global<float> y;
  __device__ void operator()(int64_t, int64_t, int64_t channel, float value) const { y[channel] = value; }
};

// y (channels) = Σ x (rows, channels).
inline void sum_rows(Stream& stream, Global<const float> x, int64_t rows, int64_t channels, Global<float> y) {
  reduce_columns(stream, 1, rows, channels, SumRows{x, channels}, StoreRow{y});
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
