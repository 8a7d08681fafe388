#pragma once

#include <optional>

#include "kernels/options.h"
#include "layers/layer.h"

namespace melgrad {

struct ActivationOptions {
  ActivationFunction function = ActivationFunction::linear;
  double alpha = -1;  // leaky_relu's slope, elu's limit, where it is not Keras's own; 0 or more

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("function", self.function);
    field("alpha", self.alpha);
  }
};

// An activation function as a layer of its own.
class ActivationLayer : public Layer {
 public:
  using Options = ActivationOptions;
  explicit ActivationLayer(Options options) : options_(options) {}
  std::string_view type() const override { return "activation"; }
  Shape build(const Shape& input, BuildContext&) override {
    const bool has_alpha =
        options_.function == ActivationFunction::leaky_relu || options_.function == ActivationFunction::elu;
    require(!has_own_alpha() || (has_alpha && options_.alpha >= 0),
            "activation: alpha {}, expected 0 or more, of leaky_relu or elu", options_.alpha);
    return input;
  }
  Tensor pre_activation(const Tensor& x, const Pass&) override {
    return has_own_alpha() ? melgrad::activation(*choice(), x) : x;
  }
  ActivationFunction activation() const override {
    return has_own_alpha() ? ActivationFunction::linear : options_.function;
  }
  // As a function element by element, which softmax is not.
  std::optional<ActivationChoice> choice() const {
    std::optional<ActivationChoice> choice = choice_of(options_.function);
    if (choice && has_own_alpha()) choice->alpha = options_.alpha;
    return choice;
  }

 private:
  bool has_own_alpha() const { return options_.alpha != -1; }  // a NaN is one, and refused
  Options options_;
};

}  // namespace melgrad
