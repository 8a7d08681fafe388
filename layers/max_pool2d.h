#pragma once

#include "layers/layer.h"
#include "layers/pair.h"
#include "tensor/ops/max_pool2d.h"

namespace melgrad {

struct MaxPool2DOptions {
  Pair pool = 2;
  Pair stride = 0;  // 0: the pool's size
  Padding padding = Padding::valid;
};

// (h, w, c) -> (h_out, w_out, c).
class MaxPool2D : public Layer {
 public:
  explicit MaxPool2D(MaxPool2DOptions options) : options_(options) {}
  std::string_view type() const override { return "max_pool2d"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass&) override { return max_pool2d(x, rows_, columns_); }
  int64_t flops(const Shape& input) const override;

 private:
  MaxPool2DOptions options_;
  Window rows_, columns_;
};

}  // namespace melgrad
