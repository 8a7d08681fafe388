// Convolutions by cuDNN of weights as this project has them, (kh, kw, c, o).
#pragma once

#include "kernels/cuda/cudnn_convolution.h"
#include "kernels/cuda/portability.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

void conv2d_cudnn_forward(Stream& stream, const Conv2dProblem& p, CudnnMath math, ConstView x, ConstView weight,
                          View y);
void conv2d_cudnn_backward_data(Stream& stream, const Conv2dProblem& p, CudnnMath math, ConstView dy, ConstView weight,
                                View dx);
void conv2d_cudnn_backward_weight(Stream& stream, const Conv2dProblem& p, CudnnMath math, ConstView dy, ConstView x,
                                  View dweight);

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
