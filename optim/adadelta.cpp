#include "optim/adadelta.h"

namespace melgrad {

Adadelta::Adadelta(std::vector<Parameter> parameters, AdadeltaOptions options)
    : Optimizer(std::move(parameters), {options.learning_rate, options.l2, options.weight_decay}), options_(options) {
  require(options.rho >= 0 && options.rho < 1, "adadelta: rho {}, expected 0 or more and below 1", options.rho);
  require(options.epsilon > 0, "adadelta: epsilon {}, expected a positive number", options.epsilon);
  add_state("square");
  add_state("update");
}

void Adadelta::update(Parameter& parameter, const Tensor& gradient, const OptimizerRates& rates) {
  const AdadeltaStep step{
      .learning_rate = rates.learning_rate, .rho = options_.rho, .epsilon = options_.epsilon, .l2 = rates.l2};
  adadelta_update(gradient.stream(), step, gradient.view(), state_view(parameter, "square"),
                  state_view(parameter, "update"), parameter.tensor.mutable_view());
}

}  // namespace melgrad
