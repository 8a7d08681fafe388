// Zeros around a sample: Keras's ZeroPadding1D and ZeroPadding2D.
#pragma once

#include "layers/layer.h"
#include "layers/option_text.h"

namespace melgrad {

struct ZeroPadding1DOptions {
  AxisPadding padding = {1, 1};  // amounts before and after

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("padding", self.padding);
  }
};

// (l, c) -> (before + l + after, c).
class ZeroPadding1D : public Layer {
 public:
  using Options = ZeroPadding1DOptions;
  explicit ZeroPadding1D(Options options = {}) : options_(options) {}
  std::string_view type() const override { return "zero_padding1d"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass& pass) override;
  const Options& options() const { return options_; }

 private:
  Options options_;
};

struct ZeroPadding2DOptions {
  PairPadding padding = {{1, 1}, {1, 1}};  // amounts above and below, left and right

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("padding", self.padding);
  }
};

// (h, w, c) -> (above + h + below, left + w + right, c).
class ZeroPadding2D : public Layer {
 public:
  using Options = ZeroPadding2DOptions;
  explicit ZeroPadding2D(Options options = {}) : options_(options) {}
  std::string_view type() const override { return "zero_padding2d"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass& pass) override;
  const Options& options() const { return options_; }

 private:
  Options options_;
};

}  // namespace melgrad
