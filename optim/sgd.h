#pragma once

#include "kernels/sgd.h"
#include "optim/optimizer.h"

namespace melgrad {

struct SgdOptions {
  double learning_rate = 0.01;
  double momentum = 0;
  bool nesterov = false;
  double l2 = 0;
  double weight_decay = 0;  // decoupled
  OptimizerVariant variant = OptimizerVariant::keras;
};

// Formulas in kernels/sgd.h. State: velocity, where there is momentum.
class Sgd : public Optimizer {
 public:
  explicit Sgd(std::vector<Parameter> parameters, SgdOptions options = {});

 private:
  void update(std::span<Due> due) override;
  SgdOptions options_;
};

}  // namespace melgrad
