#include "optim/adam.h"

namespace melgrad {

Adam::Adam(std::vector<Parameter> parameters, AdamOptions options)
    : Optimizer(std::move(parameters), {options.learning_rate, options.l2, options.weight_decay}), options_(options) {
  for (double beta : {options.beta1, options.beta2})
    require(beta >= 0 && beta < 1, "adam: beta {}, expected 0 or more and below 1", beta);
  require(options.epsilon > 0, "adam: epsilon {}, expected a positive number", options.epsilon);
  add_state("first_moment");
  add_state("second_moment");
  if (options.amsgrad) add_state("largest_second_moment");
}

void Adam::update(std::span<Due> due) {
  std::vector<AdamUpdate> updates;
  for (Due& d : due) {
    const AdamStep step{.learning_rate = d.rates.learning_rate,
                        .beta1 = options_.beta1,
                        .beta2 = options_.beta2,
                        .epsilon = options_.epsilon,
                        .l2 = d.rates.l2,
                        .amsgrad = options_.amsgrad,
                        .step = steps(),
                        .variant = options_.variant};
    updates.push_back({step, d.gradient.view(), state_view(d.parameter, "first_moment"),
                       state_view(d.parameter, "second_moment"), state_view(d.parameter, "largest_second_moment"),
                       d.parameter.tensor.mutable_view(), d.keep()});
  }
  adam_update_all(due.front().gradient.stream(), updates);
}

}  // namespace melgrad
