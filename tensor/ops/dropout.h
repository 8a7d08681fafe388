#pragma once

#include "kernels/dropout.h"
#include "kernels/gaussian_noise.h"
#include "tensor/tensor.h"

namespace melgrad {

// x with each element zeroed with probability `rate` and the rest scaled by 1/(1 - rate). The mask is a function of
// `random`: the same in the backward pass, and in a repetition of the forward pass.
Tensor dropout(const Tensor& x, double rate, const Philox& random);

// Whole channels: each (sample, channel) of x (n, …, c) is kept or not as one. Tompson et al., CVPR 2015.
Tensor channel_dropout(const Tensor& x, double rate, const Philox& random);

// x + deviation · z, z standard normal. See kernels/gaussian_noise.h.
Tensor gaussian_noise(const Tensor& x, double deviation, const Philox& random);

}  // namespace melgrad
