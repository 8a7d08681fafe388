#pragma once

#include "layers/layer.h"

namespace melgrad {

struct ActivationOptions {
  ActivationFunction function = ActivationFunction::linear;
};

// An activation function as a layer of its own.
class ActivationLayer : public Layer {
 public:
  explicit ActivationLayer(ActivationOptions options) : options_(options) {}
  std::string_view type() const override { return "activation"; }
  Shape build(const Shape& input, BuildContext&) override { return input; }
  Tensor pre_activation(const Tensor& x, const Pass&) override { return x; }
  ActivationFunction activation() const override { return options_.function; }

 private:
  ActivationOptions options_;
};

}  // namespace melgrad
