#include "optim/optimizer.h"

#include <set>

#include "kernels/memory.h"

namespace melgrad {

Optimizer::Optimizer(std::vector<Parameter> parameters, const OptimizerRates& rates)
    : rates_(rates), parameters_(std::move(parameters)) {
  set_learning_rate(rates.learning_rate);
  require(rates.l2 >= 0, "optimizer: l2 is {}, expected 0 or more", rates.l2);
  require(rates.weight_decay >= 0, "optimizer: weight decay is {}, expected 0 or more", rates.weight_decay);
  std::set<std::string> names;  // state is kept by name
  for (const Parameter& parameter : parameters_) {
    require(parameter.tensor.requires_grad(), "optimizer: '{}' does not require a gradient", parameter.name);
    require(names.insert(parameter.name).second, "optimizer: two parameters named '{}'", parameter.name);
  }
}

void Optimizer::step() {
  ++steps_;
  std::vector<Due> due;
  for (Parameter& parameter : parameters_) {
    const Tensor gradient = parameter.tensor.grad();
    if (!gradient.defined()) continue;
    due.push_back({parameter,
                   gradient,
                   {.learning_rate = rates_.learning_rate * parameter.rate_scale,
                    .l2 = rates_.l2 * parameter.decay_scale,
                    .weight_decay = rates_.weight_decay * parameter.decay_scale}});
  }
  if (!due.empty()) update(due);
}

void Optimizer::zero_grad() {
  for (Parameter& parameter : parameters_) parameter.tensor.zero_grad();
}

void Optimizer::set_learning_rate(double learning_rate) {
  require(learning_rate >= 0, "optimizer: learning rate {} is negative", learning_rate);
  rates_.learning_rate = learning_rate;
}

void Optimizer::add_state(const std::string& kind) {
  for (const Parameter& parameter : parameters_)
    state_[parameter.name + "." + kind] = Tensor::zeros_like(parameter.tensor);
}

View Optimizer::state_view(const Parameter& parameter, const char* kind) {
  const auto found = state_.find(parameter.name + "." + kind);
  if (found != state_.end()) return found->second.mutable_view();
  return {nullptr, parameter.tensor.shape(), parameter.tensor.dtype(), parameter.tensor.device()};
}

void Optimizer::load(int64_t steps, const std::map<std::string, Tensor>& state, const std::string& source) {
  require(steps >= 0, "{}: {} optimizer steps", source, steps);
  for (const auto& [name, tensor] : state_) {
    const auto found = state.find(name);
    require(found != state.end(), "{}: no optimizer state '{}'; was it saved by another optimizer?", source, name);
    if (found->second.shape() != tensor.shape() || found->second.dtype() != tensor.dtype()) {
      fail("{}: optimizer state '{}' is {}, expected {}", source, name, found->second.shape().to_string(),
           tensor.shape().to_string());
    }
  }
  // All or nothing.
  for (auto& [name, tensor] : state_) copy(state.at(name).view(), tensor.mutable_view());
  steps_ = steps;
}

}  // namespace melgrad
