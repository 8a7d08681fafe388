#pragma once

#include "layers/option_text.h"
#include "layers/weighted_layer.h"

namespace melgrad {

struct DenseOptions {
  int64_t units = 1;
  bool bias = true;
  ActivationFunction activation = ActivationFunction::linear;
  Initializer initializer = Initializer::glorot_uniform;

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("units", self.units);
    field("bias", self.bias);
    field("activation", self.activation);
    field("initializer", self.initializer);
  }
};

// (…, in) -> (…, units): the same product at every position, as in Keras. weight (in, units), bias (units).
class Dense : public ConvolutionLayer {
 public:
  using Options = DenseOptions;
  explicit Dense(Options options) : options_(options) {}
  std::string_view type() const override { return "dense"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor convolve(const Tensor& x) const override;
  Conv2dOptions windows_2d() const override { return {}; }
  ActivationFunction activation() const override { return options_.activation; }
  int64_t flops(const Shape& input) const override { return 2 * input.numel() * options_.units; }

 private:
  Options options_;
};

}  // namespace melgrad
