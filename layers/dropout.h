#pragma once

#include "kernels/options.h"
#include "layers/layer.h"
#include "tensor/ops/dropout.h"

namespace melgrad {

struct DropoutOptions {
  double rate = 0.5;

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("rate", self.rate);
  }
};

// Zeroes elements with probability `rate` in training; nothing in inference.
class Dropout : public Layer {
 public:
  using Options = DropoutOptions;
  explicit Dropout(Options options) : options_(options) {}
  std::string_view type() const override { return "dropout"; }
  Shape build(const Shape& input, BuildContext& context) override {
    require(options_.rate >= 0 && options_.rate < 1, "{}: rate is {}, expected 0 or more and below 1", type(),
            options_.rate);
    index_ = context.next_index();
    return input;
  }
  Tensor pre_activation(const Tensor& x, const Pass& pass) override {
    if (!pass.training || options_.rate == 0) return x;
    return drop(x, options_.rate, Philox{pass.seed, Draw::dropout, index_, pass.step});
  }

 private:
  virtual Tensor drop(const Tensor& x, double rate, const Philox& random) { return dropout(x, rate, random); }
  Options options_;
  uint32_t index_ = 0;  // tells this layer's masks from others'
};

// Zeroes whole channels (the last axis) of a sample: Tompson et al., CVPR 2015; Keras's SpatialDropout.
class ChannelDropout : public Dropout {
 public:
  using Dropout::Dropout;
  std::string_view type() const override { return "channel_dropout"; }

 private:
  Tensor drop(const Tensor& x, double rate, const Philox& random) override { return channel_dropout(x, rate, random); }
};

struct GaussianNoiseOptions {
  double deviation = 0.1;

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("deviation", self.deviation);
  }
};

// Adds normal noise in training; nothing in inference.
class GaussianNoise : public Layer {
 public:
  using Options = GaussianNoiseOptions;
  explicit GaussianNoise(Options options) : options_(options) {}
  std::string_view type() const override { return "gaussian_noise"; }
  Shape build(const Shape& input, BuildContext& context) override {
    require(options_.deviation >= 0, "gaussian_noise: deviation is {}, expected 0 or more", options_.deviation);
    index_ = context.next_index();
    return input;
  }
  Tensor pre_activation(const Tensor& x, const Pass& pass) override {
    if (!pass.training || options_.deviation == 0) return x;
    return gaussian_noise(x, options_.deviation, Philox{pass.seed, Draw::noise, index_, pass.step});
  }

 private:
  Options options_;
  uint32_t index_ = 0;
};

}  // namespace melgrad
