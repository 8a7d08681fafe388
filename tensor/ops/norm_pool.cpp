#include "tensor/ops/norm_pool.h"

#include "tensor/autograd.h"
#include "tensor/ops/elementwise.h"

namespace melgrad {

Tensor norm_pool_train(const Tensor& y, const Tensor& gamma, const Tensor& beta, const Tensor& bias,
                       Tensor& running_mean, Tensor& running_variance, const BatchNormOptions& options,
                       const Window& rows, const Window& columns, bool relu) {
  if (y.shape().rank() != 4) fail("norm_pool: y is {}, expected (n, h, w, c)", y.shape().to_string());
  const Shape& in = y.shape();
  const NormPoolProblem problem{
      .pool = {in[0], in[1], in[2], in[3], rows, columns}, .epsilon = options.epsilon, .relu = relu};
  Tensor z = Tensor::empty(problem.pool.y_shape(), y.dtype(), y.device());
  Tensor pooled = Tensor::empty_like(z);
  Tensor argmax = Tensor::empty(z.shape(), DType::u8, y.device());
  Tensor mean = Tensor::empty_like(running_mean), variance = Tensor::empty_like(running_variance);
  norm_pool_forward(y.stream(), problem, y.view(), gamma.view(), beta.view(), z.mutable_view(), pooled.mutable_view(),
                    argmax.mutable_view(), mean.mutable_view(), variance.mutable_view());
  if (!recomputing()) {
    const Tensor seen = bias.defined() ? add(mean, bias.detach()) : mean;
    batch_norm_update_running(y.stream(), options.momentum.keep, options.running_variance, in[0] * in[1] * in[2],
                              seen.view(), variance.view(), running_mean.mutable_view(),
                              running_variance.mutable_view());
  }
  std::vector<Tensor> inputs{y, gamma, beta};
  if (bias.defined()) inputs.push_back(bias);
  return record("norm_pool", z, inputs,
                [problem, y = Saved(y), gamma = Saved(gamma), beta = Saved(beta), mean = Saved(mean),
                 variance = Saved(variance), pooled = Saved(pooled), argmax = Saved(argmax),
                 has_bias = bias.defined()](const Tensor& dz, Gradients& gradients) {
                  Tensor dy = Tensor::empty_like(y.get());
                  Tensor dgamma = Tensor::empty_like(gamma.get()), dbeta = Tensor::empty_like(beta.get());
                  norm_pool_backward(dz.stream(), problem, y.get().view(), gamma.get().view(), beta.get().view(),
                                     mean.get().view(), variance.get().view(), pooled.get().view(), argmax.get().view(),
                                     dz.view(), dy.mutable_view(), dgamma.mutable_view(), dbeta.mutable_view());
                  gradients.set(0, dy);
                  gradients.set(1, dgamma);
                  gradients.set(2, dbeta);
                  if (has_bias) gradients.set(3, Tensor::zeros(beta.get().shape(), dz.dtype(), dz.device()));
                });
}

}  // namespace melgrad
