// What layers with one weight and perhaps a bias have in common: Conv1D, Conv2D, Dense.
#pragma once

#include "layers/initializer.h"
#include "layers/layer.h"
#include "tensor/ops/bias.h"
#include "tensor/ops/conv2d.h"
#include "tensor/ops/conv_block.h"

namespace melgrad {

class WeightedLayer : public Layer {
 public:
  std::vector<NamedTensor> state() const override {
    std::vector<NamedTensor> state{{"weight", weight_}};
    if (bias_.defined()) state.push_back({"bias", bias_});
    return state;
  }

 protected:
  // The weight's last axis has the outputs, one bias each.
  void make_weight(Initializer initializer, const Shape& shape, bool bias, BuildContext& context) {
    weight_ = initialize(initializer, shape, fans_of(shape), context.next_generator(), context.dtype, context.device);
    bias_ = bias ? constant_parameter(0, {shape[-1]}, true, context.dtype, context.device) : Tensor();
  }
  Tensor with_bias(const Tensor& y) const { return bias_.defined() ? add_bias(y, bias_) : y; }

  Tensor weight_, bias_;
};

// Conv1D and Conv2D, and Dense as a convolution of one tap, as the fused blocks see them.
class ConvolutionLayer : public WeightedLayer {
 public:
  virtual Tensor convolve(const Tensor& x) const = 0;  // without the bias
  virtual Conv2dOptions windows_2d() const = 0;        // once built; a 1-D convolution has a width of 1
  const Tensor& weight() const { return weight_; }
  const Tensor& bias() const { return bias_; }  // undefined if there is none
  Tensor pre_activation(const Tensor& x, const Pass&) override { return with_bias(convolve(x)); }
  // This layer and the batch norm behind it, as inference wants them.
  FoldedBlock& folded() const { return folded_; }

 private:
  mutable FoldedBlock folded_;
};

}  // namespace melgrad
