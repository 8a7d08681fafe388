#include "optim/optimizer.h"

#include <set>

#include "kernels/memory.h"

namespace melgrad {

Optimizer::Optimizer(std::vector<Parameter> parameters) : parameters_(std::move(parameters)) {
  std::set<std::string> names;  // state is kept by name
  for (const Parameter& parameter : parameters_) {
    require(parameter.tensor.requires_grad(), "optimizer: '{}' does not require a gradient", parameter.name);
    require(names.insert(parameter.name).second, "optimizer: two parameters named '{}'", parameter.name);
  }
}

void Optimizer::step() {
  ++steps_;
  for (Parameter& parameter : parameters_) {
    const Tensor gradient = parameter.tensor.grad();
    if (gradient.defined()) update(parameter, gradient);
  }
}

void Optimizer::zero_grad() {
  for (Parameter& parameter : parameters_) parameter.tensor.zero_grad();
}

void Optimizer::set_learning_rate(double learning_rate) {
  require(learning_rate >= 0, "optimizer: learning rate {} is negative", learning_rate);
  learning_rate_ = learning_rate;
}

void Optimizer::add_state(const std::string& kind) {
  for (const Parameter& parameter : parameters_)
    state_[parameter.name + "." + kind] = Tensor::zeros_like(parameter.tensor);
}

Tensor& Optimizer::state_of(const Parameter& parameter, const char* kind) {
  return state_.at(parameter.name + "." + kind);
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
