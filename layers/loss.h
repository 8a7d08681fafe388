// Losses: from a network's pre-activations, so that the stable form runs, to a scalar.
#pragma once

#include "kernels/enum_names.h"
#include "tensor/tensor.h"

namespace melgrad {

enum class Loss : uint8_t { cross_entropy };

template <>
inline constexpr EnumNames<Loss, 1> enum_names<Loss>{{{Loss::cross_entropy, "cross-entropy"}}};

// The mean over samples of -log softmax(logits)[label]. logits (n, classes), labels (n) i32.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels);

Tensor compute_loss(Loss loss, const Tensor& pre_activation, const Tensor& labels);

}  // namespace melgrad
