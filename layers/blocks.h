// Layers made of layers.
#pragma once

#include "layers/option_text.h"
#include "layers/sequential.h"

namespace melgrad {

struct ResidualOptions {
  ActivationFunction activation = ActivationFunction::linear;

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("activation", self.activation);
  }
};

// f(x + body(x)), or f(shortcut(x) + body(x)) where the body changes the shape: He et al., CVPR 2016.
// Tensors are named body.<layer>.<tensor> and shortcut.<layer>.<tensor>.
class Residual : public Layer {
 public:
  using Options = ResidualOptions;
  explicit Residual(Sequential body, Options options = {}) : Residual(std::move(body), Sequential(), options) {}
  Residual(Sequential body, Sequential shortcut, Options options = {})
      : body_(std::move(body)), shortcut_(std::move(shortcut)), options_(options) {}
  std::string_view type() const override { return "residual"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass& pass) override;
  ActivationFunction activation() const override { return options_.activation; }
  std::vector<NamedTensor> state() const override;
  int64_t flops(const Shape& input) const override;
  const Sequential& body() const { return body_; }
  const Sequential& shortcut() const { return shortcut_; }  // without layers: the input itself

 private:
  bool has_shortcut() const { return !shortcut_.layers().empty(); }
  Sequential body_, shortcut_;
  Options options_;
};

enum class Join : uint8_t { add, multiply, concatenate };

template <>
inline constexpr EnumNames<Join, 3> enum_names<Join>{
    {{Join::add, "add"}, {Join::multiply, "multiply"}, {Join::concatenate, "concatenate"}}};

struct ParallelOptions {
  Join join = Join::add;
  int64_t axis = -1;  // of concatenate, the batch counting as axis 0

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("join", self.join);
    field("axis", self.axis);
  }
};

// The same input through several branches, their outputs added, multiplied or concatenated. A branch without layers
// passes its input on. Tensors are named branch_<n>.<layer>.<tensor>, n from 1.
class Parallel : public Layer {
 public:
  using Options = ParallelOptions;
  explicit Parallel(std::vector<Sequential> branches, Options options = {})
      : branches_(std::move(branches)), options_(options) {}
  std::string_view type() const override { return "parallel"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass& pass) override;
  std::vector<NamedTensor> state() const override;
  int64_t flops(const Shape& input) const override;
  const std::vector<Sequential>& branches() const { return branches_; }
  const Options& options() const { return options_; }

 private:
  std::vector<Sequential> branches_;
  Options options_;
  int64_t elements_ = 0;  // of all branches' outputs
};

// Layers whose activations are computed again in backward instead of kept: tensor/checkpoint.h. Tensors have the names
// that the layers would have in a Sequential.
class Checkpoint : public Layer {
 public:
  explicit Checkpoint(Sequential body) : body_(std::move(body)) {}
  std::string_view type() const override { return "checkpoint"; }
  Shape build(const Shape& input, BuildContext& context) override { return body_.build(input, context); }
  Tensor pre_activation(const Tensor& x, const Pass& pass) override;
  ActivationFunction activation() const override { return body_.activation(); }
  std::vector<NamedTensor> state() const override { return body_.state(); }
  int64_t flops(const Shape& input) const override { return body_.flops(input); }
  const Sequential& body() const { return body_; }

 private:
  Sequential body_;
};

struct SqueezeExcitationOptions {
  double ratio = 1.0 / 16;  // hidden units over channels

  template <class Self, class Field>
  static void visit(Self& self, Field&& field) {
    field("ratio", self.ratio);
  }
};

// (…, c) -> (…, c): each channel times sigmoid(W₂ relu(W₁ mean(x))), the mean over all positions. Hu, Shen and Sun,
// CVPR 2018, equations 2 to 4. Tensors: squeeze.weight, squeeze.bias, excite.weight, excite.bias.
class SqueezeExcitation : public Layer {
 public:
  using Options = SqueezeExcitationOptions;
  explicit SqueezeExcitation(Options options) : options_(options) {}
  std::string_view type() const override { return "squeeze_excitation"; }
  Shape build(const Shape& input, BuildContext& context) override;
  Tensor pre_activation(const Tensor& x, const Pass& pass) override;
  std::vector<NamedTensor> state() const override { return gate_.state(); }
  int64_t flops(const Shape& input) const override { return gate_.flops(input) + input.numel(); }
  const Sequential& gate() const { return gate_; }  // from (…, c) to (c)

 private:
  Options options_;
  Sequential gate_;  // from x to one factor a channel
};

}  // namespace melgrad
