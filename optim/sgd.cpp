#include "optim/sgd.h"

namespace melgrad {

Sgd::Sgd(std::vector<Parameter> parameters, SgdOptions options) : Optimizer(std::move(parameters)), options_(options) {
  require(options.momentum >= 0 && options.momentum < 1, "sgd: momentum {}, expected 0 or more and below 1",
          options.momentum);
  require(!options.nesterov || options.momentum > 0, "sgd: nesterov needs a momentum above 0");
  set_learning_rate(options.learning_rate);
  if (options.momentum != 0) add_state("velocity");
}

void Sgd::update(Parameter& parameter, const Tensor& gradient) {
  View velocity{nullptr, parameter.tensor.shape(), parameter.tensor.dtype(), parameter.tensor.device()};
  if (options_.momentum != 0) velocity = state_of(parameter, "velocity").mutable_view();
  const SgdStep step{.learning_rate = learning_rate_,
                     .momentum = options_.momentum,
                     .nesterov = options_.nesterov,
                     .weight_decay = options_.weight_decay,
                     .variant = options_.variant};
  sgd_update(gradient.stream(), step, gradient.view(), velocity, parameter.tensor.mutable_view());
}

}  // namespace melgrad
