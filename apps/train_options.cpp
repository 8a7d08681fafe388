#include "apps/train_options.h"

namespace melgrad {

void validate(const TrainOptions& options) {
  require(options.batch >= 1, "train.batch: {} is not a batch; expected 1 or more", options.batch);
  require(options.epochs >= 1, "train.epochs: {}, expected 1 or more", options.epochs);
  require(options.learning_rate >= 0, "train.learning_rate: {} is negative", options.learning_rate);
  require(options.patience >= 0, "train.patience: {} is negative", options.patience);
  require(options.weight_decay >= 0, "train.weight_decay: {} is negative", options.weight_decay);
}

std::unique_ptr<Optimizer> make_optimizer(const TrainOptions& options, std::vector<Parameter> parameters) {
  switch (options.optimizer) {
    case OptimizerKind::sgd:
      return std::make_unique<Sgd>(std::move(parameters), SgdOptions{.learning_rate = options.learning_rate,
                                                                     .momentum = options.momentum,
                                                                     .nesterov = options.nesterov,
                                                                     .weight_decay = options.weight_decay,
                                                                     .variant = options.variant});
    case OptimizerKind::adam:
      return std::make_unique<Adam>(std::move(parameters), AdamOptions{.learning_rate = options.learning_rate,
                                                                       .beta1 = options.beta1,
                                                                       .beta2 = options.beta2,
                                                                       .epsilon = options.epsilon,
                                                                       .weight_decay = options.weight_decay,
                                                                       .variant = options.variant});
  }
  fail("train.optimizer: unknown");
}

}  // namespace melgrad
