#include "optim/rmsprop.h"

namespace melgrad {

Rmsprop::Rmsprop(std::vector<Parameter> parameters, RmspropOptions options)
    : Optimizer(std::move(parameters), {options.learning_rate, options.l2, options.weight_decay}), options_(options) {
  require(options.rho >= 0 && options.rho < 1, "rmsprop: rho {}, expected 0 or more and below 1", options.rho);
  require(options.momentum >= 0 && options.momentum < 1, "rmsprop: momentum {}, expected 0 or more and below 1",
          options.momentum);
  require(options.epsilon > 0, "rmsprop: epsilon {}, expected a positive number", options.epsilon);
  add_state("square");
  if (options.centred) add_state("mean");
  if (options.momentum != 0) add_state("velocity");
}

void Rmsprop::update(std::span<Due> due) {
  std::vector<RmspropUpdate> updates;
  for (Due& d : due) {
    const RmspropStep step{.learning_rate = d.rates.learning_rate,
                           .rho = options_.rho,
                           .momentum = options_.momentum,
                           .centred = options_.centred,
                           .epsilon = options_.epsilon,
                           .l2 = d.rates.l2,
                           .variant = options_.variant};
    updates.push_back({step, d.gradient.view(), state_view(d.parameter, "square"), state_view(d.parameter, "mean"),
                       state_view(d.parameter, "velocity"), d.parameter.tensor.mutable_view(), d.keep()});
  }
  rmsprop_update_all(due.front().gradient.stream(), updates);
}

}  // namespace melgrad
