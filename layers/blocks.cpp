#include "layers/blocks.h"

#include <algorithm>
#include <cmath>

#include "layers/dense.h"
#include "layers/pooling.h"
#include "tensor/ops/elementwise.h"

namespace melgrad {
namespace {

void append_state(std::vector<NamedTensor>& all, const std::string& prefix, const Sequential& network) {
  for (NamedTensor named : network.state()) {
    named.name = prefix + "." + named.name;
    all.push_back(std::move(named));
  }
}

}  // namespace

Shape Residual::build(const Shape& input, BuildContext& context) {
  const Shape output = body_.build(input, context);
  const Shape around = has_shortcut() ? shortcut_.build(input, context) : input;
  if (output != around)
    fail("residual: the body gives {} and the {} {}; they must be equal", output.to_string(),
         has_shortcut() ? "shortcut" : "input", around.to_string());
  return output;
}

Tensor Residual::pre_activation(const Tensor& x, const Pass& pass) {
  const Tensor through = body_.forward(x, pass);
  return add(has_shortcut() ? shortcut_.forward(x, pass) : x, through);
}

std::vector<NamedTensor> Residual::state() const {
  std::vector<NamedTensor> all;
  append_state(all, "body", body_);
  append_state(all, "shortcut", shortcut_);
  return all;
}

int64_t Residual::flops(const Shape& input) const {
  return body_.flops(input) + (has_shortcut() ? shortcut_.flops(input) : 0) + body_.output_shape().numel();
}

Shape SqueezeExcitation::build(const Shape& input, BuildContext& context) {
  require(options_.ratio > 0, "squeeze_excitation: ratio is {}, expected a positive number", options_.ratio);
  if (input.rank() < 2)
    fail("squeeze_excitation: the input is {}, expected positions before channels", input.to_string());
  const int64_t channels = input[-1];
  const auto hidden = std::max<int64_t>(1, std::llround(static_cast<double>(channels) * options_.ratio));
  gate_ = Sequential();
  gate_.add(GlobalAveragePool(), "mean")
      .add(Dense({.units = hidden, .activation = ActivationFunction::relu}), "squeeze")
      .add(Dense({.units = channels, .activation = ActivationFunction::sigmoid}), "excite");
  gate_.build(input, context);
  return input;
}

Tensor SqueezeExcitation::pre_activation(const Tensor& x, const Pass& pass) {
  const Tensor gate = gate_.forward(x, pass);  // (n, c)
  Shape broadcast{x.shape()[0]};
  for (int64_t axis = 1; axis + 1 < x.shape().rank(); ++axis) broadcast.append(1);
  broadcast.append(x.shape()[-1]);
  return multiply(x, reshape(gate, broadcast));
}

}  // namespace melgrad
