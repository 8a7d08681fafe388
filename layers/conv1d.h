#pragma once

#include "layers/option_text.h"
#include "layers/weighted_layer.h"
#include "tensor/ops/conv2d.h"

namespace melgrad {

struct Conv1DOptions {
  int64_t filters = 1;
  int64_t kernel = 3;
  int64_t stride = 1;
  AxisPadding padding = Padding::valid;
  int64_t dilation = 1;
  int64_t groups = 1;
  bool bias = true;
  ActivationFunction activation = ActivationFunction::linear;
  Initializer initializer = Initializer::glorot_uniform;
  ConvAlgorithm algorithm = ConvAlgorithm::automatic;

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("filters", self.filters);
    field("kernel", self.kernel);
    field("stride", self.stride);
    field("padding", self.padding);
    field("dilation", self.dilation);
    field("groups", self.groups);
    field("bias", self.bias);
    field("activation", self.activation);
    field("initializer", self.initializer);
    field("algorithm", self.algorithm);
  }
};

// (l, c) -> (l_out, filters). weight (k, c / groups, filters), bias (filters).
class Conv1D : public ConvolutionLayer {
 public:
  using Options = Conv1DOptions;
  explicit Conv1D(Options options) : options_(options) {}
  std::string_view type() const override { return "conv1d"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor convolve(const Tensor& x) const override;
  ActivationFunction activation() const override { return options_.activation; }
  int64_t flops(const Shape& input) const override;
  const Conv1dOptions& window() const { return window_; }  // once built
  Conv2dOptions windows_2d() const override {
    return {.rows = window_.window, .columns = {}, .groups = window_.groups, .algorithm = window_.algorithm};
  }

 private:
  Options options_;
  Conv1dOptions window_;  // with the padding that the input's size asks for
};

}  // namespace melgrad
