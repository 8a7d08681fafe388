// Optimizer: moves parameters against their gradients. One subclass a method; its update is a kernel
// (kernels/<method>.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace melgrad {

struct Parameter {
  std::string name;
  Tensor tensor;
};

// From anything with a name and a tensor, such as a network's parameters.
template <class NamedTensors>
std::vector<Parameter> as_parameters(const NamedTensors& tensors) {
  std::vector<Parameter> parameters;
  for (const auto& named : tensors) parameters.push_back({named.name, named.tensor});
  return parameters;
}

class Optimizer {
 public:
  explicit Optimizer(std::vector<Parameter> parameters);
  virtual ~Optimizer() = default;

  // One step. A parameter without a gradient stays as it is.
  void step();
  // Gradients are undefined until the next backward().
  void zero_grad();

  void set_learning_rate(double learning_rate);
  double learning_rate() const { return learning_rate_; }

  // All that step() depends on beside the parameters and their gradients: saved and loaded bit for bit.
  int64_t steps() const { return steps_; }
  std::map<std::string, Tensor> state() const { return state_; }
  void load(int64_t steps, const std::map<std::string, Tensor>& state, const std::string& source);

 protected:
  // A tensor of state like `parameter`, zeros at first, saved as <parameter>.<kind>. Called by constructors.
  void add_state(const std::string& kind);
  Tensor& state_of(const Parameter& parameter, const char* kind);
  virtual void update(Parameter& parameter, const Tensor& gradient) = 0;

  double learning_rate_ = 0;

 private:
  std::vector<Parameter> parameters_;
  std::map<std::string, Tensor> state_;
  int64_t steps_ = 0;
};

}  // namespace melgrad
