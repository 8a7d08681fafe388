// Layers that move elements and have no weights.
#pragma once

#include "layers/layer.h"
#include "layers/option_text.h"
#include "tensor/ops/movement.h"
#include "tensor/ops/reshape.h"

namespace melgrad {

struct FlattenOptions {
  int64_t keep = 0;  // axes of a sample that stay: 1 flattens each frame by itself

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("keep", self.keep);
  }
};

// Any shape -> (kept axes…, number of elements of the others), in row-major order.
class Flatten : public Layer {
 public:
  using Options = FlattenOptions;
  explicit Flatten(Options options = {}) : options_(options) {}
  std::string_view type() const override { return "flatten"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass&) override { return reshape(x, output_.with_batch(x.shape()[0])); }

 private:
  Options options_;
  Shape output_;
};

struct ReshapeOptions {
  Integers shape;  // of a sample; one size may be -1: what is left

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("shape", self.shape);
  }
};

class Reshape : public Layer {
 public:
  using Options = ReshapeOptions;
  explicit Reshape(Options options) : options_(std::move(options)) {}
  std::string_view type() const override { return "reshape"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass&) override { return reshape(x, output_.with_batch(x.shape()[0])); }

 private:
  Options options_;
  Shape output_;
};

struct PermuteOptions {
  Integers order;  // axes of a sample, from 1, the batch counting as axis 0: {2, 1, 3} swaps the first two

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("order", self.order);
  }
};

class Permute : public Layer {
 public:
  using Options = PermuteOptions;
  explicit Permute(Options options) : options_(std::move(options)) {}
  std::string_view type() const override { return "permute"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass&) override { return transpose(x, order_); }
  const std::vector<int64_t>& order() const { return order_; }  // once built; the batch is axis 0

 private:
  Options options_;
  std::vector<int64_t> order_;  // with the batch
};

struct EndsOptions {
  Integers before, after;  // elements at the ends of each axis of a sample, from the first; axes not named have none

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("before", self.before);
    field("after", self.after);
  }
};

// Mirrored about the ends of axes (tensor/ops/movement.h): (l, c) with before = {3}, after = {2} -> (l + 5, c). Zeros
// are ZeroPadding1D's and ZeroPadding2D's.
class ReflectPadding : public Layer {
 public:
  using Options = EndsOptions;
  explicit ReflectPadding(Options options) : options_(std::move(options)) {}
  std::string_view type() const override { return "reflect_padding"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass&) override;
  const Options& ends() const { return options_; }  // once built: of every axis

 private:
  Options options_;
};

// Without the ends of axes: Keras's Cropping1D and Cropping2D.
class Crop : public Layer {
 public:
  using Options = EndsOptions;
  explicit Crop(Options options) : options_(std::move(options)) {}
  std::string_view type() const override { return "crop"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass&) override;
  const Options& ends() const { return options_; }  // once built: of every axis

 private:
  Options options_;
};

}  // namespace melgrad
