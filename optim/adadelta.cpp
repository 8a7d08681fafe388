#include "optim/adadelta.h"

namespace melgrad {

Adadelta::Adadelta(std::vector<Parameter> parameters, AdadeltaOptions options)
    : Optimizer(std::move(parameters), {options.learning_rate, options.l2, options.weight_decay}), options_(options) {
  require(options.rho >= 0 && options.rho < 1, "adadelta: rho {}, expected 0 or more and below 1", options.rho);
  require(options.epsilon > 0, "adadelta: epsilon {}, expected a positive number", options.epsilon);
  add_state("square");
  add_state("update");
}

void Adadelta::update(std::span<Due> due) {
  std::vector<AdadeltaUpdate> updates;
  for (Due& d : due) {
    const AdadeltaStep step{
        .learning_rate = d.rates.learning_rate, .rho = options_.rho, .epsilon = options_.epsilon, .l2 = d.rates.l2};
    updates.push_back({step, d.gradient.view(), state_view(d.parameter, "square"), state_view(d.parameter, "update"),
                       d.parameter.tensor.mutable_view(), d.keep()});
  }
  adadelta_update_all(due.front().gradient.stream(), updates);
}

}  // namespace melgrad
