#include "tensor/ops/batch_norm.h"

#include "tensor/autograd.h"

namespace melgrad {
namespace {

// The two backward passes have one signature; which of them runs is all that differs.
BackwardFunction backward_by(decltype(&batch_norm_train_backward) backward, double epsilon, const Tensor& x,
                             const Tensor& gamma, const Tensor& mean, const Tensor& variance) {
  return [=, x = Saved(x), gamma = Saved(gamma), mean = Saved(mean), variance = Saved(variance)](const Tensor& dy,
                                                                                                 Gradients& gradients) {
    Tensor dx = Tensor::empty_like(dy);
    Tensor dgamma = Tensor::empty_like(gamma.get());
    Tensor dbeta = Tensor::empty_like(gamma.get());
    backward(dy.stream(), epsilon, x.get().view(), gamma.get().view(), mean.get().view(), variance.get().view(),
             dy.view(), dx.mutable_view(), dgamma.mutable_view(), dbeta.mutable_view());
    gradients.set(0, dx);
    gradients.set(1, dgamma);
    gradients.set(2, dbeta);
  };
}

}  // namespace

Tensor batch_norm_train(const Tensor& x, const Tensor& gamma, const Tensor& beta, Tensor& running_mean,
                        Tensor& running_variance, const BatchNormOptions& options) {
  require(gamma.numel() > 0, "batch_norm: no channels");
  Tensor y = Tensor::empty_like(x);
  Tensor mean = Tensor::empty_like(running_mean);
  Tensor variance = Tensor::empty_like(running_variance);
  batch_norm_train_forward(x.stream(), options.epsilon, x.view(), gamma.view(), beta.view(), y.mutable_view(),
                           mean.mutable_view(), variance.mutable_view());
  if (!recomputing())
    batch_norm_update_running(x.stream(), options.momentum.keep, options.running_variance, x.numel() / gamma.numel(),
                              mean.view(), variance.view(), running_mean.mutable_view(),
                              running_variance.mutable_view());
  return record("batch_norm_train", y, {x, gamma, beta},
                backward_by(batch_norm_train_backward, options.epsilon, x, gamma, mean, variance));
}

Tensor batch_norm_infer(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& running_mean,
                        const Tensor& running_variance, const BatchNormOptions& options) {
  Tensor y = Tensor::empty_like(x);
  batch_norm_infer_forward(x.stream(), options.epsilon, x.view(), gamma.view(), beta.view(), running_mean.view(),
                           running_variance.view(), y.mutable_view());
  return record("batch_norm_infer", y, {x, gamma, beta},
                backward_by(batch_norm_infer_backward, options.epsilon, x, gamma, running_mean, running_variance));
}

}  // namespace melgrad
