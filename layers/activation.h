#pragma once

#include "kernels/options.h"
#include "layers/layer.h"

namespace melgrad {

struct ActivationOptions {
  ActivationFunction function = ActivationFunction::linear;

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("function", self.function);
  }
};

// An activation function as a layer of its own.
class ActivationLayer : public Layer {
 public:
  using Options = ActivationOptions;
  explicit ActivationLayer(Options options) : options_(options) {}
  std::string_view type() const override { return "activation"; }
  Shape build(const Shape& input, BuildContext&) override { return input; }
  Tensor pre_activation(const Tensor& x, const Pass&) override { return x; }
  ActivationFunction activation() const override { return options_.function; }

 private:
  Options options_;
};

}  // namespace melgrad
