#pragma once

#include "layers/initializer.h"
#include "layers/layer.h"

namespace melgrad {

struct DenseOptions {
  int64_t units = 1;
  bool bias = true;
  ActivationFunction activation = ActivationFunction::linear;
  Initializer initializer = Initializer::glorot_uniform;
};

// (in) -> (units). weight (in, units), bias (units).
class Dense : public Layer {
 public:
  explicit Dense(DenseOptions options) : options_(options) {}
  std::string_view type() const override { return "dense"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass& pass) override;
  ActivationFunction activation() const override { return options_.activation; }
  std::vector<NamedTensor> state() const override;
  int64_t flops(const Shape& input) const override;

 private:
  DenseOptions options_;
  Tensor weight_, bias_;
};

}  // namespace melgrad
