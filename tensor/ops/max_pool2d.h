#pragma once

#include "kernels/max_pool2d.h"
#include "tensor/tensor.h"

namespace melgrad {

// x (n, h, w, c) -> (n, h_out, w_out, c): the maximum of each window.
Tensor max_pool2d(const Tensor& x, const Window& rows, const Window& columns);

// x (n, l, c) -> (n, l_out, c).
Tensor max_pool1d(const Tensor& x, const Window& window);

}  // namespace melgrad
