// Losses of a network: from its pre-activations, so that the stable forms run, to a scalar.
//
// A sample's loss is, for output p and target t,
//   cross-entropy          -Σ t log p over the classes, p a softmax
//   binary-cross-entropy   -(t log p + (1 - t) log(1 - p)), the mean over the outputs, p a sigmoid of each
//   mse                    (p - t)², the mean over the outputs
// and the loss of a batch their mean or sum, each sample with its weight.
#pragma once

#include <vector>

#include "kernels/soft_cross_entropy.h"
#include "layers/activation_function.h"
#include "tensor/tensor.h"

namespace melgrad {

enum class Loss : uint8_t { cross_entropy, binary_cross_entropy, mse };

template <>
inline constexpr EnumNames<Loss, 3> enum_names<Loss>{
    {{Loss::cross_entropy, "cross-entropy"}, {Loss::binary_cross_entropy, "binary-cross-entropy"}, {Loss::mse, "mse"}}};

enum class LossReduction : uint8_t {
  mean,           // Σ w l / n: Keras
  sum,            // Σ w l
  weighted_mean,  // Σ w l / Σ w: PyTorch's cross-entropy with class weights
};

template <>
inline constexpr EnumNames<LossReduction, 3> enum_names<LossReduction>{
    {{LossReduction::mean, "mean"}, {LossReduction::sum, "sum"}, {LossReduction::weighted_mean, "weighted_mean"}}};

struct LossOptions {
  Loss loss = Loss::cross_entropy;
  LossReduction reduction = LossReduction::mean;
  TargetScale target_scale = TargetScale::as_given;  // cross-entropy with soft labels
  // One a class (cross-entropy, on the terms of the sum over classes; for a hard label that is the sample's weight) or
  // output (the others); empty: 1 each.
  std::vector<double> class_weights{};
};

// pre_activation (n, classes) is the network's output before `activation`, its last layer's function. Cross-entropy takes
// softmax, binary cross-entropy sigmoid, both in their stable form from the logits; with any function but these two
// the function's values are the logits. targets: labels (n) i32, cross-entropy only, or (n, classes) of the output's
// dtype. sample_weights (n), of the output's dtype, or undefined: 1 each. Throws for combinations that mean nothing.
Tensor compute_loss(const LossOptions& options, const Tensor& pre_activation, ActivationFunction activation,
                    const Tensor& targets, const Tensor& sample_weights = {});

// The usual case: the mean over samples of -log softmax(logits)[label]. logits (n, classes), labels (n) i32.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels);

// Rows of zeros with a one at each label: labels (n) i32 -> (n, classes).
Tensor one_hot(const Tensor& labels, int64_t classes, DType dtype);

}  // namespace melgrad
