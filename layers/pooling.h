// Pooling: the largest or the mean of each window, or of all.
#pragma once

#include "layers/layer.h"
#include "layers/option_text.h"
#include "tensor/ops/avg_pool2d.h"
#include "tensor/ops/max_pool2d.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/reshape.h"

namespace melgrad {

struct MaxPool2DOptions {
  Pair pool = 2;
  Pair stride = 0;  // 0: the pool's size
  PairPadding padding = Padding::valid;

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("pool", self.pool);
    field("stride", self.stride);
    field("padding", self.padding);
  }
};

struct AveragePool2DOptions : MaxPool2DOptions {
  AverageOver over = AverageOver::inside;

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    MaxPool2DOptions::visit(self, field);
    field("over", self.over);
  }
};

struct MaxPool1DOptions {
  int64_t pool = 2;
  int64_t stride = 0;  // 0: the pool's size
  AxisPadding padding = Padding::valid;

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("pool", self.pool);
    field("stride", self.stride);
    field("padding", self.padding);
  }
};

struct AveragePool1DOptions : MaxPool1DOptions {
  AverageOver over = AverageOver::inside;

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    MaxPool1DOptions::visit(self, field);
    field("over", self.over);
  }
};

// What pools over windows of (h, w, c) have in common.
class Pool2D : public Layer {
 public:
  Shape build(const Shape& input, BuildContext& context) override;
  int64_t flops(const Shape& input) const override;
  const Window& rows() const { return rows_; }  // once built, as columns()
  const Window& columns() const { return columns_; }

 protected:
  explicit Pool2D(const MaxPool2DOptions& options) : window_options_(options) {}
  Window rows_, columns_;

 private:
  MaxPool2DOptions window_options_;
};

// (h, w, c) -> (h_out, w_out, c).
class MaxPool2D : public Pool2D {
 public:
  using Options = MaxPool2DOptions;
  explicit MaxPool2D(Options options = {}) : Pool2D(options) {}
  std::string_view type() const override { return "max_pool2d"; }
  Tensor pre_activation(const Tensor& x, const Pass&) override { return max_pool2d(x, rows_, columns_); }
  const Window& rows() const { return rows_; }
  const Window& columns() const { return columns_; }
};

class AveragePool2D : public Pool2D {
 public:
  using Options = AveragePool2DOptions;
  explicit AveragePool2D(Options options = {}) : Pool2D(options), over_(options.over) {}
  std::string_view type() const override { return "average_pool2d"; }
  Tensor pre_activation(const Tensor& x, const Pass&) override { return avg_pool2d(x, rows_, columns_, over_); }
  AverageOver over() const { return over_; }

 private:
  AverageOver over_;
};

// What pools over windows of (l, c) have in common.
class Pool1D : public Layer {
 public:
  Shape build(const Shape& input, BuildContext& context) override;
  int64_t flops(const Shape& input) const override;
  const Window& window() const { return window_; }  // once built

 protected:
  explicit Pool1D(const MaxPool1DOptions& options) : window_options_(options) {}
  Window window_;

 private:
  MaxPool1DOptions window_options_;
};

// (l, c) -> (l_out, c).
class MaxPool1D : public Pool1D {
 public:
  using Options = MaxPool1DOptions;
  explicit MaxPool1D(Options options = {}) : Pool1D(options) {}
  std::string_view type() const override { return "max_pool1d"; }
  Tensor pre_activation(const Tensor& x, const Pass&) override { return max_pool1d(x, window_); }
  const Window& window() const { return window_; }
};

class AveragePool1D : public Pool1D {
 public:
  using Options = AveragePool1DOptions;
  explicit AveragePool1D(Options options = {}) : Pool1D(options), over_(options.over) {}
  std::string_view type() const override { return "average_pool1d"; }
  Tensor pre_activation(const Tensor& x, const Pass&) override { return avg_pool1d(x, window_, over_); }
  AverageOver over() const { return over_; }

 private:
  AverageOver over_;
};

// Over all positions, (…, c) -> (c), or over the first axis alone, (t, …) -> (…): the mean over time of a sequence.
enum class GlobalAxes : uint8_t { positions, time };

template <>
inline constexpr EnumNames<GlobalAxes, 2> enum_names<GlobalAxes>{
    {{GlobalAxes::positions, "positions"}, {GlobalAxes::time, "time"}}};

struct GlobalPoolOptions {
  GlobalAxes over = GlobalAxes::positions;

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("over", self.over);
  }
};

class GlobalPool : public Layer {
 public:
  using Options = GlobalPoolOptions;
  explicit GlobalPool(Options options) : options_(options) {}
  Shape build(const Shape& input, BuildContext& context) override;
  int64_t flops(const Shape& input) const override { return input.numel(); }
  const std::vector<int64_t>& axes() const { return axes_; }  // once built; the batch is axis 0

 protected:
  // The result of a reduction over axes(), without them.
  Tensor squeezed(const Tensor& reduced) const { return reshape(reduced, output_.with_batch(reduced.shape()[0])); }

 private:
  Options options_;
  std::vector<int64_t> axes_;
  Shape output_;
};

class GlobalAveragePool : public GlobalPool {
 public:
  explicit GlobalAveragePool(Options options = {}) : GlobalPool(options) {}
  std::string_view type() const override { return "global_average_pool"; }
  Tensor pre_activation(const Tensor& x, const Pass&) override { return squeezed(mean(x, axes())); }
};

class GlobalMaxPool : public GlobalPool {
 public:
  explicit GlobalMaxPool(Options options = {}) : GlobalPool(options) {}
  std::string_view type() const override { return "global_max_pool"; }
  Tensor pre_activation(const Tensor& x, const Pass&) override { return squeezed(max(x, axes())); }
};

}  // namespace melgrad
