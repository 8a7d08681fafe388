#include "optim/adam.h"

namespace melgrad {

Adam::Adam(std::vector<Parameter> parameters, AdamOptions options)
    : Optimizer(std::move(parameters)), options_(options) {
  for (double beta : {options.beta1, options.beta2})
    require(beta >= 0 && beta < 1, "adam: beta {}, expected 0 or more and below 1", beta);
  require(options.epsilon > 0, "adam: epsilon {}, expected a positive number", options.epsilon);
  set_learning_rate(options.learning_rate);
  add_state("first_moment");
  add_state("second_moment");
}

void Adam::update(Parameter& parameter, const Tensor& gradient) {
  const AdamStep step{.learning_rate = learning_rate_,
                      .beta1 = options_.beta1,
                      .beta2 = options_.beta2,
                      .epsilon = options_.epsilon,
                      .weight_decay = options_.weight_decay,
                      .step = steps(),
                      .variant = options_.variant};
  adam_update(gradient.stream(), step, gradient.view(), state_of(parameter, "first_moment").mutable_view(),
              state_of(parameter, "second_moment").mutable_view(), parameter.tensor.mutable_view());
}

}  // namespace melgrad
