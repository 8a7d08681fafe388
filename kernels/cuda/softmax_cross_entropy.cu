// Softmax with cross-entropy, one warp a row: see kernels/cuda/softmax_rows.h for the algorithm, bottleneck and launch.
#include "kernels/cuda/softmax_rows.h"
#include "kernels/softmax_cross_entropy.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

__global__ void __launch_bounds__(row_threads)
    softmax_cross_entropy_forward_kernel(Global<const float> logits, Global<const int32_t> labels, Global<float> loss,
                                         Global<float> probabilities, int64_t rows, int64_t classes) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;  // a warp as a whole
  const Global<const float> x = logits + row * classes;
  const RowSoftmax softmax = softmax_of_row(x, probabilities + row * classes, classes);
  if (row_lane() == 0) {
    const int32_t label = labels[row];
    const bool valid = label >= 0 && label < classes;
    loss[row] = valid ? cross_entropy<float>(softmax.sum, softmax.maximum, x[label]) : NAN;
  }
}

__global__ void __launch_bounds__(row_threads)
    softmax_cross_entropy_backward_kernel(Global<const float> probabilities, Global<const int32_t> labels,
                                          Global<const float> dloss, Global<float> dlogits, int64_t rows,
                                          int64_t classes) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;
  const Global<const float> y = probabilities + row * classes;
  const Global<float> dx = dlogits + row * classes;
  const int32_t label = labels[row];
  const float scale = label >= 0 && label < classes ? float(dloss[row]) : NAN;
  for_each_class(classes, [&](int64_t i) { dx[i] = cross_entropy_gradient<float>(y[i], i == label, scale); });
}

void forward(Stream& stream, ConstView logits, ConstView labels, View loss, View probabilities) {
  const int64_t rows = logits.shape[0];
  if (rows == 0) return;
  launch<softmax_cross_entropy_forward_kernel>(
      blocks_for(rows, row_warps), row_threads, 0, stream, global<const float>(logits), global<const int32_t>(labels),
      global<float>(loss), global<float>(probabilities), rows, logits.shape[1]);
}

void backward(Stream& stream, ConstView probabilities, ConstView labels, ConstView dloss, View dlogits) {
  const int64_t rows = probabilities.shape[0];
  if (rows == 0) return;
  launch<softmax_cross_entropy_backward_kernel>(
      blocks_for(rows, row_warps), row_threads, 0, stream, global<const float>(probabilities),
      global<const int32_t>(labels), global<const float>(dloss), global<float>(dlogits), rows, probabilities.shape[1]);
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(SoftmaxCrossEntropyFunctions, softmax_cross_entropy, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
