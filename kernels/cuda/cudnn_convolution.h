// Convolutions by cuDNN, through its descriptor-based ("legacy") API: NHWC, f32, deterministic algorithms only.
#pragma once

#include "kernels/conv2d.h"

namespace melgrad {

// Of which operands are rounded to TF32 on their way into tensor cores.
enum class CudnnMath : uint8_t { f32, tf32 };

// Weights lie as cuDNN has them, (o, kh, kw, c).
#define MELGRAD_CUDNN_CONVOLUTION                                                                                  \
  bool cudnn_is_there();                                                                                           \
  bool cudnn_supports(const Conv2dProblem& problem);                                                               \
  void cudnn_forward(Stream& stream, const Conv2dProblem& problem, CudnnMath math, const float* x, const float* w, \
                     float* y);                                                                                    \
  void cudnn_backward_data(Stream& stream, const Conv2dProblem& problem, CudnnMath math, const float* dy,          \
                           const float* w, float* dx);                                                             \
  void cudnn_backward_weight(Stream& stream, const Conv2dProblem& problem, CudnnMath math, const float* dy,        \
                             const float* x, float* dw);
namespace cuda {
MELGRAD_CUDNN_CONVOLUTION
}
namespace simt {
MELGRAD_CUDNN_CONVOLUTION
}
#undef MELGRAD_CUDNN_CONVOLUTION

}  // namespace melgrad
