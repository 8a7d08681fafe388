// Bias.
//
// Forward: a thread an element, striding on by the grid; its channel takes one multiplication (Divider). Backward:
// kernels/cuda/columns.h. Bottleneck: global memory, 8 bytes an element forward, 4 backward.
// Launch: blocks of 256 threads, enough to fill the GPU; no shared memory but what columns.h says.
#include "kernels/bias.h"
#include "kernels/cuda/columns.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads)
    bias_kernel(int64_t n, Divider channels, Global<const float> x, Global<const float> bias, Global<float> y) {
  for_each_index(n, [&](int64_t i) {
    int64_t row = i;
    y[i] = x[i] + bias[channels.split(row)];
  });
}

void forward(Stream& stream, ConstView x, ConstView bias, View y) {
  const int64_t n = x.numel();
  if (n == 0) return;
  launch<bias_kernel>(striding_blocks(n, threads), threads, 0, stream, n, Divider(bias.numel()), global<const float>(x),
                      global<const float>(bias), global<float>(y));
}

void backward(Stream& stream, ConstView dy, View dbias) {
  const int64_t channels = dbias.numel();
  if (channels == 0) return;
  sum_rows(stream, global<const float>(dy), dy.numel() / channels, channels, global<float>(dbias));
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(BiasFunctions, bias, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
