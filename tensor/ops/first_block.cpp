#include "tensor/ops/first_block.h"

#include "tensor/autograd.h"

namespace melgrad {

Tensor first_block_train(const Tensor& x, BlockTensors tensors, const BlockOptions& options) {
  const BlockProblem problem = block_problem(x.shape(), tensors.weight.shape(), options);
  const Tensor &weight = tensors.weight, &gamma = tensors.gamma, &beta = tensors.beta;
  Tensor z = Tensor::empty(problem.pool().y_shape(), x.dtype(), x.device());
  Tensor mean = Tensor::empty_like(gamma), variance = Tensor::empty_like(gamma);
  Tensor moments = Tensor::empty(first_block_moments_shape(problem), DType::f64, x.device());
  first_block_statistics(x.stream(), problem, x.view(), weight.view(), mean.mutable_view(), variance.mutable_view(),
                         moments.mutable_view());
  first_block_forward(x.stream(), problem, x.view(), weight.view(), gamma.view(), beta.view(), mean.view(),
                      variance.view(), z.mutable_view());
  update_running(problem, options, mean, variance, tensors);
  std::vector<Tensor> inputs{x, weight, gamma, beta};
  if (tensors.bias.defined()) inputs.push_back(tensors.bias);
  return record("first_block", z, inputs,
                [problem, x = Saved(x), weight = Saved(weight), gamma = Saved(gamma), beta = Saved(beta),
                 mean = Saved(mean), variance = Saved(variance), moments = Saved(moments),
                 has_bias = tensors.bias.defined()](const Tensor& dz, Gradients& gradients) {
                  Tensor dx = gradients.wants(0) ? Tensor::empty_like(x.get()) : Tensor();
                  Tensor dweight = Tensor::empty_like(weight.get());
                  Tensor dgamma = Tensor::empty_like(gamma.get()), dbeta = Tensor::empty_like(beta.get());
                  first_block_backward(dz.stream(), problem, x.get().view(), weight.get().view(), gamma.get().view(),
                                       beta.get().view(), mean.get().view(), variance.get().view(),
                                       moments.get().view(), dz.view(), dx.defined() ? dx.mutable_view() : View{},
                                       dweight.mutable_view(), dgamma.mutable_view(), dbeta.mutable_view());
                  if (dx.defined()) gradients.set(0, dx);
                  gradients.set(1, dweight);
                  gradients.set(2, dgamma);
                  gradients.set(3, dbeta);
                  if (has_bias) gradients.set(4, Tensor::zeros_like(beta.get()));
                });
}

Tensor first_block_infer(const Tensor& x, const BlockTensors& tensors, const BlockOptions& options) {
  require(!grad_enabled(), "first_block_infer: has no gradient; compute under NoGrad");
  const BlockProblem problem = block_problem(x.shape(), tensors.weight.shape(), options);
  Tensor z = Tensor::empty(problem.pool().y_shape(), x.dtype(), x.device());
  first_block_forward(x.stream(), problem, x.view(), tensors.weight.view(), tensors.gamma.view(), tensors.beta.view(),
                      mean_without_bias(tensors).view(), tensors.running_variance.view(), z.mutable_view());
  return z;
}

}  // namespace melgrad
