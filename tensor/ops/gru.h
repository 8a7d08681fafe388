#pragma once

#include "kernels/gru.h"
#include "tensor/tensor.h"

namespace melgrad {

struct GruOptions {
  bool reset_after = true;
  Activation recurrent_activation = Activation::sigmoid;
};

// The recurrent part over a whole sequence (kernels/gru.h): input (n, t, 3u), recurrent_kernel (u, 3u), recurrent_bias
// (3u; not read without reset_after) -> states (n, t, u). Gradients for all three, through time.
Tensor gru(const Tensor& input, const Tensor& recurrent_kernel, const Tensor& recurrent_bias,
           const GruOptions& options = {});

}  // namespace melgrad
