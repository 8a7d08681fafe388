// Convolutions by cuDNN: the library wants a weight's output channels outermost, ours has them innermost. A weight is small
// beside what it is multiplied with, so it is transposed on the way in, and its gradient on the way out.
//
// Bottleneck and launch of the transpose: kernels/cuda/transpose.h; the rest is cuDNN's.
#include "kernels/cuda/conv2d_cudnn.h"

#include "kernels/cuda/transpose.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

int64_t patch_of(const Conv2dProblem& p) {
  return p.taps() * p.c;
}

// (o, kh, kw, c)
Buffer outermost_outputs(Stream& stream, const Conv2dProblem& p, ConstView weight) {
  Buffer buffer = stream.workspace(weight.bytes());
  transpose<float>(stream, patch_of(p), p.o, global<const float>(weight), global<float>(buffer));
  return buffer;
}

}  // namespace

void conv2d_cudnn_forward(Stream& stream, const Conv2dProblem& p, CudnnMath math, ConstView x, ConstView weight,
                          View y) {
  const Buffer w = outermost_outputs(stream, p, weight);
  cudnn_forward(stream, p, math, x.as<float>(), static_cast<const float*>(w.data()), y.as<float>());
}

void conv2d_cudnn_backward_data(Stream& stream, const Conv2dProblem& p, CudnnMath math, ConstView dy, ConstView weight,
                                View dx) {
  const Buffer w = outermost_outputs(stream, p, weight);
  cudnn_backward_data(stream, p, math, dy.as<float>(), static_cast<const float*>(w.data()), dx.as<float>());
}

void conv2d_cudnn_backward_weight(Stream& stream, const Conv2dProblem& p, CudnnMath math, ConstView dy, ConstView x,
                                  View dweight) {
  const Buffer dw = stream.workspace(dweight.bytes());
  cudnn_backward_weight(stream, p, math, dy.as<float>(), x.as<float>(), static_cast<float*>(dw.data()));
  transpose<float>(stream, p.o, patch_of(p), global<float>(dw), global<float>(dweight));
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
