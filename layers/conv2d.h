#pragma once

#include "layers/initializer.h"
#include "layers/layer.h"
#include "layers/window_options.h"
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
};

// Throws unless `groups` divides both.
void expect_groups(const char* layer, int64_t channels, int64_t filters, int64_t groups);

// (h, w, c) -> (h_out, w_out, filters). weight (kh, kw, c / groups, filters), bias (filters).
class Conv2D : public Layer {
 public:
  explicit Conv2D(Conv2DOptions options) : options_(options) {}
  std::string_view type() const override { return "conv2d"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass& pass) override;
  ActivationFunction activation() const override { return options_.activation; }
  std::vector<NamedTensor> state() const override;
  int64_t flops(const Shape& input) const override;

 private:
  Conv2DOptions options_;
  Conv2dOptions windows_;  // with the padding that the input's size asks for
  Tensor weight_, bias_;
};

}  // namespace melgrad
