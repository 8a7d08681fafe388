#pragma once

#include "kernels/softmax.h"
#include "kernels/softmax_cross_entropy.h"
#include "tensor/tensor.h"

namespace melgrad {

// Over the last axis.
Tensor softmax(const Tensor& x);

// logits (rows, classes), labels (rows) i32 -> one loss a row. mean() of it is the usual loss.
Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& labels);

}  // namespace melgrad
