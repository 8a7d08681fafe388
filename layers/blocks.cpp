#include "layers/blocks.h"

#include <algorithm>
#include <cmath>

#include "layers/dense.h"
#include "layers/pooling.h"
#include "tensor/checkpoint.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/movement.h"

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

Shape Parallel::build(const Shape& input, BuildContext& context) {
  require(!branches_.empty(), "parallel: no branches");
  const int64_t rank = input.rank() + 1, axis = options_.axis < 0 ? options_.axis + rank : options_.axis;
  require(options_.join != Join::concatenate || (axis >= 1 && axis < rank),
          "parallel: axis {} of {} with the batch; expected one behind it", options_.axis, rank);
  Shape joined;
  elements_ = 0;
  for (std::size_t i = 0; i < branches_.size(); ++i) {
    Sequential& branch = branches_[i];
    const Shape output = branch.layers().empty() ? input : branch.build(input, context);
    elements_ += output.numel();
    if (i == 0) {
      joined = output;
      continue;
    }
    bool fits = output.rank() == joined.rank();
    Shape sum;
    for (int64_t a = 0; fits && a < joined.rank(); ++a) {
      const bool along = options_.join == Join::concatenate && a + 1 == axis;
      fits = along || joined[a] == output[a];
      sum.append(along ? joined[a] + output[a] : joined[a]);
    }
    if (!fits)
      fail("parallel: branch {} gives {}, those before it {}; {} needs equal ones", i + 1, output.to_string(),
           joined.to_string(), name_of(options_.join));
    joined = sum;
  }
  return joined;
}

Tensor Parallel::pre_activation(const Tensor& x, const Pass& pass) {
  std::vector<Tensor> outputs;
  for (Sequential& branch : branches_) outputs.push_back(branch.layers().empty() ? x : branch.forward(x, pass));
  if (options_.join == Join::concatenate) return concatenate(outputs, options_.axis);
  Tensor joined = outputs[0];
  for (std::size_t i = 1; i < outputs.size(); ++i)
    joined = options_.join == Join::add ? add(joined, outputs[i]) : multiply(joined, outputs[i]);
  return joined;
}

std::vector<NamedTensor> Parallel::state() const {
  std::vector<NamedTensor> all;
  for (std::size_t i = 0; i < branches_.size(); ++i) append_state(all, fmt::format("branch_{}", i + 1), branches_[i]);
  return all;
}

int64_t Parallel::flops(const Shape& input) const {
  int64_t total = options_.join == Join::concatenate ? 0 : elements_;
  for (const Sequential& branch : branches_) total += branch.flops(input);
  return total;
}

Tensor Checkpoint::pre_activation(const Tensor& x, const Pass& pass) {
  return checkpoint([this, pass](const std::vector<Tensor>& inputs) { return body_.pre_activation(inputs[0], pass); },
                    {x});
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
