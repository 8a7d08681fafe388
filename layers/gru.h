#pragma once

#include "layers/initializer.h"
#include "layers/layer.h"
#include "layers/option_text.h"
#include "tensor/ops/gru.h"

namespace melgrad {

struct GruLayerOptions {
  int64_t units = 1;
  bool return_sequences = false;  // all states, not the last alone
  bool reset_after = true;        // false: Keras 1 and the paper
  Activation recurrent_activation = Activation::sigmoid;
  Initializer initializer = Initializer::glorot_uniform;
  Initializer recurrent_initializer = Initializer::orthogonal;

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("units", self.units);
    field("return_sequences", self.return_sequences);
    field("reset_after", self.reset_after);
    field("recurrent_activation", self.recurrent_activation);
    field("initializer", self.initializer);
    field("recurrent_initializer", self.recurrent_initializer);
  }
};

// (t, c) -> (units), or (t, units). Formulas in kernels/gru.h; gates in the order z, r, h, as Keras has them.
// kernel (c, 3·units), recurrent_kernel (units, 3·units), bias: (2, 3·units), of the input and of the recurrent part;
// without reset_after (3·units).
class Gru : public Layer {
 public:
  using Options = GruLayerOptions;
  explicit Gru(Options options) : options_(options) {}
  std::string_view type() const override { return "gru"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass& pass) override;
  std::vector<NamedTensor> state() const override;
  int64_t flops(const Shape& input) const override;
  const Options& options() const { return options_; }

 private:
  Options options_;
  Tensor kernel_, recurrent_kernel_, bias_;
};

}  // namespace melgrad
