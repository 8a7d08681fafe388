// Max pooling 2-D.
//
// Algorithm: forward, a thread an output looks through its window; backward, a thread an input gathers from the windows
// that cover it, in order, so nothing is added by two threads. Neighbouring threads are neighbouring channels, which
// share sectors; index divisions are multiplications (Divider).
// Bottleneck: global memory; elements under several windows come from the cache.
// Launch: blocks of 256 threads, enough to fill the GPU; no shared memory.
#include "kernels/cuda/windows.h"
#include "kernels/max_pool2d.h"
#include "kernels/max_pool2d_formulas.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads) max_pool2d_forward_kernel(PoolAxes axes, int64_t n, Global<const float> x,
                                                                     Global<float> y, Global<int32_t> argmax) {
  for_each_index(n, [&](int64_t i) {
    const PoolAxes::Place at = axes.of_output(i);
    float best = -INFINITY;
    int64_t winner = -1;
    axes.rows.for_each_tap(at.row, [&](int64_t tap_row, int64_t row) {
      axes.columns.for_each_tap(at.column, [&](int64_t tap_column, int64_t column) {
        const float value = x[axes.input(at, row, column)];
        if (winner >= 0 && !max_pool_takes(best, value)) return;
        best = value;
        winner = tap_row * axes.columns.window.size + tap_column;
      });
    });
    y[i] = best;
    argmax[i] = static_cast<int32_t>(winner);
  });
}

__global__ void __launch_bounds__(threads) max_pool2d_backward_kernel(PoolAxes axes, int64_t n, Global<const float> dy,
                                                                      Global<const int32_t> argmax, Global<float> dx) {
  for_each_index(n, [&](int64_t i) {
    const PoolAxes::Place at = axes.of_input(i);
    float sum = 0.0f;
    axes.rows.for_each_cover(at.row, [&](int64_t tap_row, int64_t row) {
      axes.columns.for_each_cover(at.column, [&](int64_t tap_column, int64_t column) {
        const int64_t output = axes.output(at, row, column);
        if (argmax[output] == tap_row * axes.columns.window.size + tap_column) sum += dy[output];
      });
    });
    dx[i] = sum;
  });
}

void forward(Stream& stream, const Pool2dProblem& problem, ConstView x, View y, View argmax) {
  const int64_t n = y.numel();
  if (n == 0) return;
  launch<max_pool2d_forward_kernel>(striding_blocks(n, threads), threads, 0, stream, PoolAxes(problem), n,
                                    global<const float>(x), global<float>(y), global<int32_t>(argmax));
}

void backward(Stream& stream, const Pool2dProblem& problem, ConstView dy, ConstView argmax, View dx) {
  const int64_t n = dx.numel();
  if (n == 0) return;
  launch<max_pool2d_backward_kernel>(striding_blocks(n, threads), threads, 0, stream, PoolAxes(problem), n,
                                     global<const float>(dy), global<const int32_t>(argmax), global<float>(dx));
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(MaxPool2dFunctions, max_pool2d, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
