#pragma once

#include "layers/layer.h"
#include "tensor/ops/batch_norm.h"

namespace melgrad {

// Normalises each channel (the last axis): by the batch's statistics in training, by running ones in inference.
// gamma, beta (c) are trained; running_mean, running_variance (c) are buffers. Options as in tensor/ops/batch_norm.h:
//   BatchNorm({.epsilon = 1e-5, .momentum = Momentum::pytorch(0.1), .running_variance = RunningVariance::unbiased})
// is PyTorch's; the defaults are Keras's.
class BatchNorm : public Layer {
 public:
  explicit BatchNorm(BatchNormOptions options = {}) : options_(options) {}
  std::string_view type() const override { return "batch_norm"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass& pass) override;
  std::vector<NamedTensor> state() const override;
  int64_t flops(const Shape& input) const override { return 2 * input.numel(); }  // folded: one multiply-add

 private:
  BatchNormOptions options_;
  Tensor gamma_, beta_, running_mean_, running_variance_;
};

}  // namespace melgrad
