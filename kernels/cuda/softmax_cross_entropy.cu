// Softmax with cross-entropy: one warp a row.
//
// Algorithm: the lanes of a warp stride over the classes of its row. Forward: each lane takes the maximum of its
// elements, then the sum of exp(x - max); five shuffles each make them the row's, in an order that is fixed, so results
// are the same bits every time. A last pass writes the probabilities. A row is read three times, from the cache after
// the first. Backward needs no reduction.
// Bottleneck: global memory for many classes; for few (ten leave 22 lanes of each warp idle) the launch itself, which
// is what the losses of classifiers of this size cost anyway.
// Launch: blocks of 4 warps, one warp a row; no shared memory.
#include "kernels/cuda/portability.h"
#include "kernels/softmax_cross_entropy.h"
#include "kernels/softmax_formulas.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int warps = 4;
constexpr int threads = warps * 32;
constexpr unsigned all_lanes = 0xffffffff;

__device__ float warp_maximum(float value) {
  for (int distance = 16; distance > 0; distance /= 2)
    value = larger(value, __shfl_xor_sync(all_lanes, value, distance));
  return value;
}

__device__ float warp_sum(float value) {
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(all_lanes, value, distance);
  return value;
}

__global__ void softmax_cross_entropy_forward_kernel(Global<const float> logits, Global<const int32_t> labels,
                                                     Global<float> loss, Global<float> probabilities, int64_t rows,
                                                     int64_t classes) {
  const int64_t row = int64_t{blockIdx.x} * warps + threadIdx.x / 32;
  const int lane = threadIdx.x % 32;
  if (row >= rows) return;  // a warp as a whole
  const Global<const float> x = logits + row * classes;
  float maximum = -INFINITY;
  for (int64_t i = lane; i < classes; i += 32) maximum = larger(maximum, x[i]);
  maximum = warp_maximum(maximum);
  float sum = 0.0f;
  for (int64_t i = lane; i < classes; i += 32) sum += expf(x[i] - maximum);
  sum = warp_sum(sum);
  const Global<float> y = probabilities + row * classes;
  for (int64_t i = lane; i < classes; i += 32) y[i] = expf(x[i] - maximum) / sum;
  if (lane == 0) {
    const int32_t label = labels[row];
    const bool valid = label >= 0 && label < classes;
    loss[row] = valid ? cross_entropy<float>(sum, maximum, x[label]) : NAN;
  }
}

__global__ void softmax_cross_entropy_backward_kernel(Global<const float> probabilities, Global<const int32_t> labels,
                                                      Global<const float> dloss, Global<float> dlogits, int64_t rows,
                                                      int64_t classes) {
  const int64_t row = int64_t{blockIdx.x} * warps + threadIdx.x / 32;
  if (row >= rows) return;
  const Global<const float> y = probabilities + row * classes;
  const Global<float> dx = dlogits + row * classes;
  const int32_t label = labels[row];
  const float scale = label >= 0 && label < classes ? dloss[row] : NAN;
  for (int64_t i = threadIdx.x % 32; i < classes; i += 32)
    dx[i] = cross_entropy_gradient<float>(y[i], i == label, scale);
}

void forward(Stream& stream, ConstView logits, ConstView labels, View loss, View probabilities) {
  const int64_t rows = logits.shape[0];
  if (rows == 0) return;
  launch<softmax_cross_entropy_forward_kernel>(blocks_for(rows, warps), threads, 0, stream, global<const float>(logits),
                                               global<const int32_t>(labels), global<float>(loss),
                                               global<float>(probabilities), rows, logits.shape[1]);
}

void backward(Stream& stream, ConstView probabilities, ConstView labels, ConstView dloss, View dlogits) {
  const int64_t rows = probabilities.shape[0];
  if (rows == 0) return;
  launch<softmax_cross_entropy_backward_kernel>(
      blocks_for(rows, warps), threads, 0, stream, global<const float>(probabilities), global<const int32_t>(labels),
      global<const float>(dloss), global<float>(dlogits), rows, probabilities.shape[1]);
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(SoftmaxCrossEntropyFunctions, softmax_cross_entropy, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
