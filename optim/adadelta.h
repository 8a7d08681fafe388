#pragma once

#include "kernels/adadelta.h"
#include "optim/optimizer.h"

namespace melgrad {

struct AdadeltaOptions {
  double learning_rate = 1;  // the paper's and old Keras's; Keras 3 has 0.001
  double rho = 0.95;
  double epsilon = 1e-7;
  double l2 = 0;
  double weight_decay = 0;  // decoupled
};

// Formulas in kernels/adadelta.h. State: square, update.
class Adadelta : public Optimizer {
 public:
  explicit Adadelta(std::vector<Parameter> parameters, AdadeltaOptions options = {});

 private:
  void update(std::span<Due> due) override;
  AdadeltaOptions options_;
};

}  // namespace melgrad
