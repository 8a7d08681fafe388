#pragma once

#include "kernels/batch_norm.h"
#include "tensor/tensor.h"

namespace melgrad {

// How a running statistic forgets: running = keep · running + (1 - keep) · batch.
struct Momentum {
  double keep = 0.99;
  // Keras names the part that is kept (0.99), PyTorch the part that is new (0.1).
  static Momentum keras(double momentum) { return {momentum}; }
  static Momentum pytorch(double momentum) { return {1 - momentum}; }
};

struct BatchNormOptions {
  double epsilon = 1e-3;  // Keras; PyTorch has 1e-5
  Momentum momentum = Momentum::keras(0.99);
  RunningVariance running_variance = RunningVariance::biased;
};

// Normalises over all axes but the last. x (…, c); gamma, beta, running_mean, running_variance (c).
// Training: by the batch's statistics, and updates the running ones in place. Gradients for x, gamma, beta.
Tensor batch_norm_train(const Tensor& x, const Tensor& gamma, const Tensor& beta, Tensor& running_mean,
                        Tensor& running_variance, const BatchNormOptions& options = {});
// Inference: by the running statistics. Gradients for x, gamma, beta.
Tensor batch_norm_infer(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& running_mean,
                        const Tensor& running_variance, const BatchNormOptions& options = {});

}  // namespace melgrad
