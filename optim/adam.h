#pragma once

#include "kernels/adam.h"
#include "optim/optimizer.h"

namespace melgrad {

struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-7;  // Keras; PyTorch has 1e-8
  bool amsgrad = false;
  double l2 = 0;
  double weight_decay = 0;  // above 0: AdamW
  OptimizerVariant variant = OptimizerVariant::keras;
};

// Formulas in kernels/adam.h. State: first_moment, second_moment; with amsgrad largest_second_moment.
class Adam : public Optimizer {
 public:
  explicit Adam(std::vector<Parameter> parameters, AdamOptions options = {});

 private:
  void update(std::span<Due> due) override;
  AdamOptions options_;
};

}  // namespace melgrad
