#include "apps/training_step.h"

#include <cmath>

#include "optim/clip.h"

namespace melgrad {

TrainingStep::TrainingStep(Sequential& network, const TrainOptions& options, LossOptions loss)
    : network_(network), options_(options), loss_(std::move(loss)) {
  renew_optimizer();
}

void TrainingStep::renew_optimizer() {
  optimizer_ = make_optimizer(options_, as_parameters(network_.parameters()));
}

StepResult TrainingStep::run(const Batch& batch, const StepPosition& position) {
  const Pass pass{
      .training = true, .seed = options_.seed, .step = static_cast<uint32_t>(position.step), .fuse = options_.fuse};
  begin("forward");
  StepResult result{.loss = 0, .output = network_.pre_activation(batch.inputs, pass)};
  begin("loss");
  const Tensor loss = compute_loss(loss_, result.output, network_.activation(), batch.targets);
  begin("backward");
  optimizer_->zero_grad();
  loss.backward();
  begin("update");
  if (options_.clip_norm > 0) clip_by_global_norm(optimizer_->parameters(), options_.clip_norm);
  if (options_.clip_value > 0) clip_by_value(optimizer_->parameters(), options_.clip_value);
  optimizer_->set_learning_rate(position.learning_rate);
  optimizer_->step();
  result.loss = loss.item();  // only now does the host wait for a GPU, which has all of the step to do
  require(std::isfinite(result.loss),
          "train: the loss is {} in epoch {}; lower train.learning_rate (now {}) or look at the data", result.loss,
          position.epoch, optimizer_->learning_rate());
  begin("end");
  return result;
}

}  // namespace melgrad
