#include "apps/train_options.h"

#include "optim/adadelta.h"
#include "optim/adam.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"

namespace melgrad {

Schedule schedule_of(const TrainOptions& options) {
  return {.kind = options.schedule,
          .factor = options.schedule_factor,
          .every = options.schedule_every,
          .decay = options.schedule_decay,
          .warmup = options.schedule_warmup,
          .minimum = options.schedule_minimum,
          .patience = options.schedule_patience,
          .stages = options.schedule_stages};
}

LossOptions loss_options(const TrainOptions& options) {
  return {.loss = options.loss, .reduction = options.reduction, .target_scale = options.target_scale};
}

void validate(const TrainOptions& options) {
  require(options.batch >= 1, "train.batch: {} is not a batch; expected 1 or more", options.batch);
  require(options.epochs >= 1, "train.epochs: {}, expected 1 or more", options.epochs);
  require(options.patience >= 0, "train.patience: {} is negative", options.patience);
  const std::pair<const char*, double> at_least_zero[] = {{"learning_rate", options.learning_rate},
                                                          {"weight_decay", options.weight_decay},
                                                          {"l2", options.l2},
                                                          {"clip_norm", options.clip_norm},
                                                          {"clip_value", options.clip_value},
                                                          {"epsilon", options.epsilon},
                                                          {"rho", options.rho},
                                                          {"average", options.average}};
  for (const auto& [key, value] : at_least_zero)
    require(value >= 0, "train.{}: {}, expected 0 or more", key, value);  // a NaN is not
  require(options.average < 1, "train.average: {}, expected below 1", options.average);
  try {
    validate(schedule_of(options));
    TrainOptions of_nothing = options;  // no parameters that a group could match
    of_nothing.groups.clear();
    make_optimizer(of_nothing, {});
  } catch (const Error& error) {
    fail("train: {}", error.what());
  }
  for (const ParameterGroup& group : options.groups) {
    try {
      validate(group);
    } catch (const Error& error) {
      fail("train.group.{}", error.what());
    }
  }
}

std::unique_ptr<Optimizer> make_optimizer(const TrainOptions& options, std::vector<Parameter> parameters) {
  try {
    apply_groups(options.groups, parameters);
  } catch (const Error& error) {
    fail("train.group: {}", error.what());
  }
  const bool keras = options.variant == OptimizerVariant::keras;
  const bool decoupled = keras || options.optimizer == OptimizerKind::adamw;
  const double rate = options.learning_rate;
  const double l2 = options.l2 + (decoupled ? 0 : options.weight_decay);
  const double decay = decoupled ? options.weight_decay : 0;
  const auto or_default = [](double value, double otherwise) { return value > 0 ? value : otherwise; };
  switch (options.optimizer) {
    case OptimizerKind::sgd:
      return std::make_unique<Sgd>(std::move(parameters), SgdOptions{.learning_rate = rate,
                                                                     .momentum = options.momentum,
                                                                     .nesterov = options.nesterov,
                                                                     .l2 = l2,
                                                                     .weight_decay = decay,
                                                                     .variant = options.variant});
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
      return std::make_unique<Adam>(std::move(parameters),
                                    AdamOptions{.learning_rate = rate,
                                                .beta1 = options.beta1,
                                                .beta2 = options.beta2,
                                                .epsilon = or_default(options.epsilon, keras ? 1e-7 : 1e-8),
                                                .amsgrad = options.amsgrad,
                                                .l2 = l2,
                                                .weight_decay = decay,
                                                .variant = options.variant});
    case OptimizerKind::adadelta:
      return std::make_unique<Adadelta>(std::move(parameters),
                                        AdadeltaOptions{.learning_rate = rate,
                                                        .rho = or_default(options.rho, keras ? 0.95 : 0.9),
                                                        .epsilon = or_default(options.epsilon, keras ? 1e-7 : 1e-6),
                                                        .l2 = l2,
                                                        .weight_decay = decay});
    case OptimizerKind::rmsprop:
      return std::make_unique<Rmsprop>(std::move(parameters),
                                       RmspropOptions{.learning_rate = rate,
                                                      .rho = or_default(options.rho, keras ? 0.9 : 0.99),
                                                      .momentum = options.momentum,
                                                      .centred = options.centred,
                                                      .epsilon = or_default(options.epsilon, keras ? 1e-7 : 1e-8),
                                                      .l2 = l2,
                                                      .weight_decay = decay,
                                                      .variant = options.variant});
  }
  fail("train.optimizer: unknown");
}

}  // namespace melgrad
