// One step of training, as the trainer takes it and as `melgrad profile` times it: forward, loss, backward, clipping and
// the optimizer's update.
#pragma once

#include <functional>
#include <memory>

#include "apps/samples.h"
#include "apps/train_options.h"
#include "layers/sequential.h"

namespace melgrad {

struct StepPosition {
  int64_t step = 0;   // from 0, through all epochs: dropout draws by it
  int64_t epoch = 1;  // for the message where the loss is no number
  double learning_rate = 0;
};

struct StepResult {
  double loss = 0;
  Tensor output;  // before the network's activation
};

class TrainingStep {
 public:
  // The network is built, and outlives this as the options do.
  TrainingStep(Sequential& network, const TrainOptions& options, LossOptions loss);

  // Throws Error if the loss is not finite; the weights are then as they were.
  StepResult run(const Batch& batch, const StepPosition& position);

  const LossOptions& loss() const { return loss_; }
  Optimizer& optimizer() { return *optimizer_; }
  void renew_optimizer();  // one that remembers nothing

  // Hears the name of each part as it begins: forward, loss, backward, update; then end.
  std::function<void(const char* part)> on_part;

 private:
  void begin(const char* part) const {
    if (on_part) on_part(part);
  }

  Sequential& network_;
  const TrainOptions& options_;
  LossOptions loss_;
  std::unique_ptr<Optimizer> optimizer_;
};

}  // namespace melgrad
