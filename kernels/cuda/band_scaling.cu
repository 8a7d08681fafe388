// A limit below the largest band of a signal, and frames scaled to 0 … 1.
//
// Algorithm: the limit is a pass over all elements. Rows: a warp takes one, and goes over it twice: for the smallest and
// the largest value, which its lanes exchange, and to write.
// Bottleneck: global memory; the second pass over a row finds it in the cache.
// Launch: blocks of 256 threads; of the limit enough to fill the GPU, of the rows eight in a block. No shared memory.
#include "kernels/band_scaling.h"

#include "kernels/cuda/helpers.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256, lanes = 32;

__global__ void __launch_bounds__(threads) limit_bands_kernel(int64_t n, Divider of_signal, bool relative, float range,
                                                              Global<const float> largest, Global<float> y) {
  for_each_index(n, [&](int64_t i) {
    const float highest = largest[of_signal.quotient(i)], reference = relative ? highest : 0.0f;
    const float floor = highest - reference - range, value = y[i] - reference;
    y[i] = value < floor ? floor : value;  // a NaN stays
  });
}

__global__ void __launch_bounds__(threads)
    scale_rows_kernel(int64_t rows, int64_t columns, Global<const float> x, Global<float> y) {
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  const int64_t row = int64_t{blockIdx.x} * (threads / lanes) + threadIdx.x / lanes;
  if (row >= rows) return;  // all lanes of the warp
  const Global<const float> from = x + row * columns;
  const Global<float> to = y + row * columns;
  float lowest = INFINITY, highest = -INFINITY;
  for (int64_t i = lane; i < columns; i += lanes) {
    const float value = from[i];
    lowest = -larger(-lowest, -value);
    highest = larger(highest, value);
  }
  lowest = -warp_reduce(-lowest, Maximum());
  highest = warp_reduce(highest, Maximum());
  const float range = highest - lowest;
  for (int64_t i = lane; i < columns; i += lanes) to[i] = range > 0.0f ? (from[i] - lowest) / range : 0.0f;
}

void limit(Stream& stream, bool relative, double range, ConstView largest, View y) {
  const int64_t n = y.numel();
  launch<limit_bands_kernel>(striding_blocks(n, threads), threads, 0, stream, n, Divider(n / y.shape[0]), relative,
                             static_cast<float>(range), global<const float>(largest), global<float>(y));
}

void scale_rows(Stream& stream, ConstView x, View y) {
  const int64_t rows = y.shape[0], columns = y.shape[1];
  launch<scale_rows_kernel>(blocks_for(rows, threads / lanes), threads, 0, stream, rows, columns,
                            global<const float>(x), global<float>(y));
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(BandScalingFunctions, band_scaling, limit, scale_rows)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
