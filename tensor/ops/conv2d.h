#pragma once

#include "kernels/conv2d.h"
#include "tensor/tensor.h"

namespace melgrad {

struct Conv2dOptions {
  // Size, stride, dilation and pads along height and width; sizes come from the weight and are ignored here.
  Window rows, columns;
  ConvAlgorithm algorithm = ConvAlgorithm::automatic;
};

// x (n, h, w, c), weight (kh, kw, c, o) -> (n, h_out, w_out, o). Gradients for both.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Conv2dOptions& options = {});

}  // namespace melgrad
