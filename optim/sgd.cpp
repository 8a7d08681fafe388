#include "optim/sgd.h"

namespace melgrad {

Sgd::Sgd(std::vector<Parameter> parameters, SgdOptions options)
    : Optimizer(std::move(parameters), {options.learning_rate, options.l2, options.weight_decay}), options_(options) {
  require(options.momentum >= 0 && options.momentum < 1, "sgd: momentum {}, expected 0 or more and below 1",
          options.momentum);
  require(!options.nesterov || options.momentum > 0, "sgd: nesterov needs a momentum above 0");
  if (options.momentum != 0) add_state("velocity");
}

void Sgd::update(Parameter& parameter, const Tensor& gradient, const OptimizerRates& rates) {
  const SgdStep step{.learning_rate = rates.learning_rate,
                     .momentum = options_.momentum,
                     .nesterov = options_.nesterov,
                     .l2 = rates.l2,
                     .variant = options_.variant};
  sgd_update(gradient.stream(), step, gradient.view(), state_view(parameter, "velocity"),
             parameter.tensor.mutable_view());
}

}  // namespace melgrad
