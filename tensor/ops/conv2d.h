#pragma once

#include "kernels/conv2d.h"
#include "tensor/tensor.h"

namespace melgrad {

struct Conv2dOptions {
  // Size, stride, dilation and pads along height and width; sizes come from the weight and are ignored here.
  Window rows, columns;
  int64_t groups = 1;
  ConvAlgorithm algorithm = ConvAlgorithm::automatic;
};

// x (n, h, w, c), weight (kh, kw, c / groups, o) -> (n, h_out, w_out, o). Gradients for both.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Conv2dOptions& options = {});

struct Conv1dOptions {
  Window window;  // its size comes from the weight and is ignored here
  int64_t groups = 1;
  ConvAlgorithm algorithm = ConvAlgorithm::automatic;
};

// x (n, l, c), weight (k, c / groups, o) -> (n, l_out, o): a convolution 2-D of width 1. Gradients for both.
Tensor conv1d(const Tensor& x, const Tensor& weight, const Conv1dOptions& options = {});

}  // namespace melgrad
