// Softmax with cross-entropy to a distribution, one warp a row: see kernels/cuda/softmax_rows.h for the algorithm,
// bottleneck and launch.
#include "kernels/cuda/softmax_rows.h"
#include "kernels/soft_cross_entropy.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

// What a row of targets is multiplied by.
template <bool sum_to_one>
__device__ float target_factor(Global<const float> targets, int64_t classes) {
  if constexpr (!sum_to_one) return 1.0f;
  const float sum = row_sum(classes, [&](int64_t i) { return float(targets[i]); });
  return sum == 0.0f ? 0.0f : 1.0f / sum;
}

template <bool sum_to_one>
__global__ void __launch_bounds__(row_threads)
    soft_cross_entropy_forward_kernel(Global<const float> logits, Global<const float> targets, Global<float> loss,
                                      Global<float> probabilities, int64_t rows, int64_t classes) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;  // a warp as a whole
  const Global<const float> x = logits + row * classes;
  const Global<const float> t = targets + row * classes;
  const RowSoftmax softmax = softmax_of_row(x, probabilities + row * classes, classes);
  const float factor = target_factor<sum_to_one>(t, classes);
  const float total = row_sum(classes, [&](int64_t i) {
    const float target = t[i];  // a class without a share adds nothing, though its logit be -inf
    return target == 0.0f ? 0.0f : factor * target * cross_entropy<float>(softmax.sum, softmax.maximum, x[i]);
  });
  if (row_lane() == 0) loss[row] = total;
}

template <bool sum_to_one>
__global__ void __launch_bounds__(row_threads)
    soft_cross_entropy_backward_kernel(Global<const float> probabilities, Global<const float> targets,
                                       Global<const float> dloss, Global<float> dlogits, int64_t rows,
                                       int64_t classes) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;
  const Global<const float> p = probabilities + row * classes;
  const Global<const float> t = targets + row * classes;
  const Global<float> dx = dlogits + row * classes;
  const float factor = target_factor<sum_to_one>(t, classes);
  const float sum = row_sum(classes, [&](int64_t i) { return factor * t[i]; });
  const float scale = dloss[row];
  for_each_class(classes, [&](int64_t i) { dx[i] = (p[i] * sum - factor * t[i]) * scale; });
}

template <class Body>
void with_scale(TargetScale scale, const Body& body) {
  scale == TargetScale::sum_to_one ? body.template operator()<true>() : body.template operator()<false>();
}

void forward(Stream& stream, TargetScale scale, ConstView logits, ConstView targets, View loss, View probabilities) {
  const int64_t rows = logits.shape[0];
  if (rows == 0) return;
  with_scale(scale, [&]<bool sum_to_one>() {
    launch<soft_cross_entropy_forward_kernel<sum_to_one>>(
        blocks_for(rows, row_warps), row_threads, 0, stream, global<const float>(logits), global<const float>(targets),
        global<float>(loss), global<float>(probabilities), rows, logits.shape[1]);
  });
}

void backward(Stream& stream, TargetScale scale, ConstView probabilities, ConstView targets, ConstView dloss,
              View dlogits) {
  const int64_t rows = targets.shape[0];
  if (rows == 0) return;
  with_scale(scale, [&]<bool sum_to_one>() {
    launch<soft_cross_entropy_backward_kernel<sum_to_one>>(
        blocks_for(rows, row_warps), row_threads, 0, stream, global<const float>(probabilities),
        global<const float>(targets), global<const float>(dloss), global<float>(dlogits), rows, targets.shape[1]);
  });
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(SoftCrossEntropyFunctions, soft_cross_entropy, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
