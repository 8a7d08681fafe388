#pragma once

#include "layers/layer.h"
#include "tensor/ops/reshape.h"

namespace melgrad {

// Any shape -> (number of elements), in row-major order.
class Flatten : public Layer {
 public:
  std::string_view type() const override { return "flatten"; }
  Shape build(const Shape& input, BuildContext&) override { return {input.numel()}; }
  Tensor pre_activation(const Tensor& x, const Pass&) override { return flatten(x); }
};

}  // namespace melgrad
