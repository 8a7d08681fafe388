#pragma once

#include "kernels/rmsprop.h"
#include "optim/optimizer.h"

namespace melgrad {

struct RmspropOptions {
  double learning_rate = 1e-3;
  double rho = 0.9;  // PyTorch's alpha, 0.99 there
  double momentum = 0;
  bool centred = false;
  double epsilon = 1e-7;  // Keras; PyTorch has 1e-8
  double l2 = 0;
  double weight_decay = 0;  // decoupled
  OptimizerVariant variant = OptimizerVariant::keras;
};

// Formulas in kernels/rmsprop.h. State: square; centred: mean; with momentum: velocity.
class Rmsprop : public Optimizer {
 public:
  explicit Rmsprop(std::vector<Parameter> parameters, RmspropOptions options = {});

 private:
  void update(std::span<Due> due) override;
  RmspropOptions options_;
};

}  // namespace melgrad
