#pragma once

#include "layers/option_text.h"
#include "layers/weighted_layer.h"
#include "tensor/ops/conv2d.h"

namespace melgrad {

struct Conv2DOptions {
  int64_t filters = 1;
  Pair kernel = 3;
  Pair stride = 1;
  PairPadding padding = Padding::valid;
  Pair dilation = 1;
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

// Throws unless `groups` divides both.
void expect_groups(const char* layer, int64_t channels, int64_t filters, int64_t groups);

// (h, w, c) -> (h_out, w_out, filters). weight (kh, kw, c / groups, filters), bias (filters).
class Conv2D : public ConvolutionLayer {
 public:
  using Options = Conv2DOptions;
  explicit Conv2D(Options options) : options_(options) {}
  std::string_view type() const override { return "conv2d"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor convolve(const Tensor& x) const override;
  ActivationFunction activation() const override { return options_.activation; }
  int64_t flops(const Shape& input) const override;
  const Conv2dOptions& windows() const { return windows_; }  // once built
  Conv2dOptions windows_2d() const override { return windows_; }

 private:
  Options options_;
  Conv2dOptions windows_;  // with the padding that the input's size asks for
};

}  // namespace melgrad
