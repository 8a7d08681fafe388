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

void Adam::update(Parameter& parameter, const Tensor& gradient, const OptimizerRates& rates) {
  const AdamStep step{.learning_rate = rates.learning_rate,
                      .beta1 = options_.beta1,
                      .beta2 = options_.beta2,
                      .epsilon = options_.epsilon,
                      .l2 = rates.l2,
                      .amsgrad = options_.amsgrad,
                      .step = steps(),
                      .variant = options_.variant};
  adam_update(gradient.stream(), step, gradient.view(), state_view(parameter, "first_moment"),
              state_view(parameter, "second_moment"), state_view(parameter, "largest_second_moment"),
              parameter.tensor.mutable_view());
}

}  // namespace melgrad
