// Softmax, one warp a row: see kernels/cuda/softmax_rows.h for the algorithm, bottleneck and launch.
#include "kernels/cuda/softmax_rows.h"
#include "kernels/softmax.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

__global__ void __launch_bounds__(row_threads)
    softmax_forward_kernel(Global<const float> x, Global<float> y, int64_t rows, int64_t classes) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;  // a warp as a whole
  softmax_of_row(x + row * classes, y + row * classes, classes);
}

__global__ void __launch_bounds__(row_threads)
    softmax_backward_kernel(Global<const float> y, Global<const float> dy, Global<float> dx, int64_t rows,
                            int64_t classes) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;
  const Global<const float> out = y + row * classes;
  const Global<const float> gradient = dy + row * classes;
  const Global<float> result = dx + row * classes;
  const float dot = row_sum(classes, [&](int64_t i) { return out[i] * gradient[i]; });
  for_each_class(classes, [&](int64_t i) { result[i] = softmax_gradient<float>(out[i], gradient[i], dot); });
}

void forward(Stream& stream, ConstView x, View y) {
  if (x.numel() == 0) return;
  const int64_t classes = x.shape[-1], rows = x.numel() / classes;
  launch<softmax_forward_kernel>(blocks_for(rows, row_warps), row_threads, 0, stream, global<const float>(x),
                                 global<float>(y), rows, classes);
}

void backward(Stream& stream, ConstView y, ConstView dy, View dx) {
  if (y.numel() == 0) return;
  const int64_t classes = y.shape[-1], rows = y.numel() / classes;
  launch<softmax_backward_kernel>(blocks_for(rows, row_warps), row_threads, 0, stream, global<const float>(y),
                                  global<const float>(dy), global<float>(dx), rows, classes);
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(SoftmaxFunctions, softmax, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
