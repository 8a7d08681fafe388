#include "optim/sgd.h"

namespace melgrad {

Sgd::Sgd(std::vector<Parameter> parameters, SgdOptions options)
    : Optimizer(std::move(parameters), {options.learning_rate, options.l2, options.weight_decay}), options_(options) {
  require(options.momentum >= 0 && options.momentum < 1, "sgd: momentum {}, expected 0 or more and below 1",
          options.momentum);
  require(!options.nesterov || options.momentum > 0, "sgd: nesterov needs a momentum above 0");
  if (options.momentum != 0) add_state("velocity");
}

void Sgd::update(std::span<Due> due) {
  std::vector<SgdUpdate> updates;
  for (Due& d : due) {
    const SgdStep step{.learning_rate = d.rates.learning_rate,
                       .momentum = options_.momentum,
                       .nesterov = options_.nesterov,
                       .l2 = d.rates.l2,
                       .variant = options_.variant};
    updates.push_back(
        {step, d.gradient.view(), state_view(d.parameter, "velocity"), d.parameter.tensor.mutable_view(), d.keep()});
  }
  sgd_update_all(due.front().gradient.stream(), updates);
}

}  // namespace melgrad
