#pragma once

#include "layers/layer.h"
#include "tensor/ops/dropout.h"

namespace melgrad {

struct DropoutOptions {
  double rate = 0.5;
};

// Zeroes elements with probability `rate` in training; nothing in inference.
class Dropout : public Layer {
 public:
  explicit Dropout(DropoutOptions options) : options_(options) {}
  std::string_view type() const override { return "dropout"; }
  Shape build(const Shape& input, BuildContext& context) override {
    require(options_.rate >= 0 && options_.rate < 1, "dropout: rate is {}, expected 0 or more and below 1",
            options_.rate);
    index_ = context.next_index();
    return input;
  }
  Tensor pre_activation(const Tensor& x, const Pass& pass) override {
    if (!pass.training || options_.rate == 0) return x;
    return dropout(x, options_.rate, Philox{pass.seed, Draw::dropout, index_, pass.step});
  }

 private:
  DropoutOptions options_;
  uint32_t index_ = 0;  // tells this layer's masks from others'
};

}  // namespace melgrad
