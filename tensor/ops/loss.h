// Differentiable losses, one for each element or row; means, sums and weights are other operations. Gradients go to the
// prediction alone.
#pragma once

#include "kernels/element_loss.h"
#include "kernels/soft_cross_entropy.h"
#include "tensor/tensor.h"

namespace melgrad {

// Element by element; see kernels/element_loss.h. Target and prediction have one shape.
Tensor element_loss(ElementLoss loss, const Tensor& prediction, const Tensor& target);

// logits, targets (rows, classes) -> (rows). See kernels/soft_cross_entropy.h.
Tensor soft_cross_entropy(const Tensor& logits, const Tensor& targets, TargetScale scale = TargetScale::as_given);

}  // namespace melgrad
