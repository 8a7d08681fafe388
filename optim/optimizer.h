// Optimizer: moves parameters against their gradients. One subclass a method; its update is a kernel
// (kernels/<method>.h).
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace melgrad {

struct Parameter {
  std::string name;
  Tensor tensor;
  // Factors of the learning rate, and of weight decay and L2 (0 for biases and norms, say): optim/parameter_groups.h.
  double rate_scale = 1;
  double decay_scale = 1;
};

// From anything with a name and a tensor, such as a network's parameters.
template <class NamedTensors>
std::vector<Parameter> as_parameters(const NamedTensors& tensors) {
  std::vector<Parameter> parameters;
  for (const auto& named : tensors) parameters.push_back({.name = named.name, .tensor = named.tensor});
  return parameters;
}

// What every method has: its rate, and two ways of pulling weights towards zero.
struct OptimizerRates {
  double learning_rate = 0;
  double l2 = 0;            // g ← gradient + l2·w, before everything else: the penalty l2/2·|w|²
  double weight_decay = 0;  // w ← w - rate·weight_decay·w, before the step: decoupled. Loshchilov and Hutter, ICLR 2019
};

class Optimizer {
 public:
  Optimizer(std::vector<Parameter> parameters, const OptimizerRates& rates);
  virtual ~Optimizer() = default;

  // One step. A parameter without a gradient stays as it is.
  void step();
  // Gradients are undefined until the next backward().
  void zero_grad();

  void set_learning_rate(double learning_rate);
  double learning_rate() const { return rates_.learning_rate; }
  std::vector<Parameter>& parameters() { return parameters_; }

  // All that step() depends on beside the parameters and their gradients: saved and loaded bit for bit.
  int64_t steps() const { return steps_; }
  std::map<std::string, Tensor> state() const { return state_; }
  void load(int64_t steps, const std::map<std::string, Tensor>& state, const std::string& source);

 protected:
  // A tensor of state like `parameter`, zeros at first, saved as <parameter>.<kind>. Called by constructors.
  void add_state(const std::string& kind);
  // That tensor's memory; a null view of the parameter's shape if this method has no such state.
  View state_view(const Parameter& parameter, const char* kind);
  // A parameter that has a gradient, with its own rates.
  struct Due {
    Parameter& parameter;
    Tensor gradient;
    OptimizerRates rates;
    // What decoupled weight decay leaves of the weight.
    double keep() const { return 1 - rates.learning_rate * rates.weight_decay; }
  };
  // All of them at once, at least one: on a GPU that is one launch.
  virtual void update(std::span<Due> due) = 0;

 private:
  OptimizerRates rates_;
  std::vector<Parameter> parameters_;
  std::map<std::string, Tensor> state_;
  int64_t steps_ = 0;
};

}  // namespace melgrad
