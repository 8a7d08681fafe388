#pragma once

#include "layers/layer.h"
#include "layers/option_text.h"
#include "tensor/ops/batch_norm.h"
#include "tensor/ops/norm_pool.h"

namespace melgrad {

struct BatchNormLayerOptions : BatchNormOptions {
  int64_t axis = -1;  // of the channels, the batch counting as axis 0

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("axis", self.axis);
    field("epsilon", self.epsilon);
    field("momentum", self.momentum);
    field("running_variance", self.running_variance);
  }
};

// Normalises each channel (by default the last axis): by the batch's statistics in training, by running ones in inference.
// gamma, beta (c) are trained; running_mean, running_variance (c) are buffers. Options as in tensor/ops/batch_norm.h:
//   BatchNorm({.epsilon = 1e-5, .momentum = Momentum::pytorch(0.1), .running_variance = RunningVariance::unbiased})
// is PyTorch's; the defaults are Keras's.
class BatchNorm : public Layer {
 public:
  using Options = BatchNormLayerOptions;
  explicit BatchNorm(Options options) : options_(options) {}
  explicit BatchNorm(BatchNormOptions options = {}, int64_t axis = -1) : options_{options, axis} {}
  std::string_view type() const override { return "batch_norm"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass& pass) override;
  std::vector<NamedTensor> state() const override;
  bool over_last_axis() const { return options_.axis == last_axis_; }
  // In training, with the pool that follows: see tensor/ops/norm_pool.h.
  Tensor norm_pool(const Tensor& y, const Tensor& bias, const Window& rows, const Window& columns, bool relu);
  int64_t flops(const Shape& input) const override { return 2 * input.numel(); }  // folded: one multiply-add
  const Options& options() const { return options_; }  // once built, the axis counts from the front
  void set_momentum(Momentum momentum) { options_.momentum = momentum; }
  const Tensor& gamma() const { return gamma_; }
  const Tensor& beta() const { return beta_; }
  const Tensor& running_mean() const { return running_mean_; }
  const Tensor& running_variance() const { return running_variance_; }

 private:
  Tensor normalise(const Tensor& x, const Pass& pass);  // x (…, c)
  Options options_;
  int64_t last_axis_ = 0;  // the last of the built input, the batch counting as axis 0
  Tensor gamma_, beta_, running_mean_, running_variance_;
};

}  // namespace melgrad
