// Average pooling 2-D.
//
// Algorithm: forward, a thread an output sums its window; backward, a thread an input gathers from the windows that
// cover it, in order, so nothing is added by two threads. Neighbouring threads are neighbouring channels, which share
// sectors; index divisions are multiplications (Divider).
// Bottleneck: global memory; elements under several windows come from the cache.
// Launch: blocks of 256 threads, enough to fill the GPU; no shared memory.
#include "kernels/avg_pool2d.h"
#include "kernels/cuda/windows.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;

// What the sum of the window at `position` is divided by, along one axis.
template <AverageOver over>
__device__ int64_t count_of(const WindowAxis& axis, int64_t position) {
  if constexpr (over == AverageOver::window) return axis.window.size;
  int64_t count = 0;
  axis.for_each_tap(position, [&](int64_t, int64_t) { ++count; });
  return count;
}

template <AverageOver over>
__device__ float divisor_of(const PoolAxes& axes, int64_t row, int64_t column) {
  const int64_t count = count_of<over>(axes.rows, row) * count_of<over>(axes.columns, column);
  return static_cast<float>(std::max<int64_t>(1, count));
}

template <AverageOver over>
__global__ void __launch_bounds__(threads)
    avg_pool2d_forward_kernel(PoolAxes axes, int64_t n, Global<const float> x, Global<float> y) {
  for_each_index(n, [&](int64_t i) {
    const PoolAxes::Place at = axes.of_output(i);
    float sum = 0.0f;
    axes.rows.for_each_tap(at.row, [&](int64_t, int64_t row) {
      axes.columns.for_each_tap(at.column, [&](int64_t, int64_t column) { sum += x[axes.input(at, row, column)]; });
    });
    y[i] = sum / divisor_of<over>(axes, at.row, at.column);
  });
}

template <AverageOver over>
__global__ void __launch_bounds__(threads)
    avg_pool2d_backward_kernel(PoolAxes axes, int64_t n, Global<const float> dy, Global<float> dx) {
  for_each_index(n, [&](int64_t i) {
    const PoolAxes::Place at = axes.of_input(i);
    float sum = 0.0f;
    axes.rows.for_each_cover(at.row, [&](int64_t, int64_t row) {
      axes.columns.for_each_cover(at.column, [&](int64_t, int64_t column) {
        sum += dy[axes.output(at, row, column)] / divisor_of<over>(axes, row, column);
      });
    });
    dx[i] = sum;
  });
}

template <class Body>
void with_average(AverageOver over, const Body& body) {
  over == AverageOver::window ? body.template operator()<AverageOver::window>()
                              : body.template operator()<AverageOver::inside>();
}

void forward(Stream& stream, const Pool2dProblem& problem, AverageOver over, ConstView x, View y) {
  const int64_t n = y.numel();
  if (n == 0) return;
  with_average(over, [&]<AverageOver f>() {
    launch<avg_pool2d_forward_kernel<f>>(striding_blocks(n, threads), threads, 0, stream, PoolAxes(problem), n,
                                         global<const float>(x), global<float>(y));
  });
}

void backward(Stream& stream, const Pool2dProblem& problem, AverageOver over, ConstView dy, View dx) {
  const int64_t n = dx.numel();
  if (n == 0) return;
  with_average(over, [&]<AverageOver f>() {
    launch<avg_pool2d_backward_kernel<f>>(striding_blocks(n, threads), threads, 0, stream, PoolAxes(problem), n,
                                          global<const float>(dy), global<float>(dx));
  });
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(AvgPool2dFunctions, avg_pool2d, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
