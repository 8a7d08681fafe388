#pragma once

#include "kernels/avg_pool2d.h"
#include "tensor/tensor.h"

namespace melgrad {

// x (n, h, w, c) -> (n, h_out, w_out, c).
Tensor avg_pool2d(const Tensor& x, const Window& rows, const Window& columns, AverageOver over = AverageOver::inside);

// x (n, l, c) -> (n, l_out, c).
Tensor avg_pool1d(const Tensor& x, const Window& window, AverageOver over = AverageOver::inside);

}  // namespace melgrad
