#pragma once

#include "kernels/dropout.h"
#include "tensor/tensor.h"

namespace melgrad {

// x with each element zeroed with probability `rate` and the rest scaled by 1/(1 - rate). The mask is a function of
// `random`: the same in the backward pass, and in a repetition of the forward pass.
Tensor dropout(const Tensor& x, double rate, const Philox& random);

}  // namespace melgrad
