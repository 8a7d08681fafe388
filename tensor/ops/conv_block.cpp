#include "tensor/ops/conv_block.h"

#include "kernels/activation.h"
#include "tensor/autograd.h"

namespace melgrad {
namespace {

// What of a block's input the backward pass needs.
struct SavedInput {
  Saved values;
  std::optional<Saved> center, scale, shift;
  ActivationChoice activation;

  explicit SavedInput(const PendingBlock& x) : values(x.values), activation(x.activation) {
    if (!x.center.defined()) return;
    center = Saved(x.center);
    scale = Saved(x.scale);
    shift = Saved(x.shift);
  }
  std::optional<PendingNorm> norm() const {
    if (!center) return {};
    return PendingNorm{center->get().view(), scale->get().view(), shift->get().view(), activation};
  }
};

}  // namespace

Tensor apply_norm(const PendingBlock& x) {
  if (!x.center.defined()) return x.values;
  Tensor z = Tensor::empty_like(x.values);
  const Tensor one = Tensor::full(x.scale.shape(), 1, x.scale.dtype(), x.scale.device());
  batch_norm_infer_forward(z.stream(), 0, x.values.view(), x.scale.view(), x.shift.view(), x.center.view(), one.view(),
                           z.mutable_view());
  activation_forward(z.stream(), x.activation, z.view(), z.mutable_view());
  return record("apply_norm", z, {x.values}, [](const Tensor& dz, Gradients& gradients) { gradients.set(0, dz); });
}

PendingBlock conv_block_train(const PendingBlock& x, BlockTensors tensors, const BlockOptions& options) {
  const Tensor &in = x.values, &weight = tensors.weight, &gamma = tensors.gamma, &beta = tensors.beta;
  const BlockProblem problem = block_problem(in.shape(), weight.shape(), options);
  Tensor y = Tensor::empty(problem.conv.y_shape(), in.dtype(), in.device());
  Tensor pooled = Tensor::empty(problem.pool().y_shape(), in.dtype(), in.device());
  Tensor argmax = Tensor::empty(pooled.shape(), DType::u8, in.device());
  Tensor mean = Tensor::empty_like(gamma), variance = Tensor::empty_like(gamma);
  Tensor scale = Tensor::empty_like(gamma), shift = Tensor::empty_like(gamma);
  const SavedInput input(x);
  const std::optional<PendingNorm> norm = input.norm();
  conv_block_forward(in.stream(), problem, {in.view(), norm ? &*norm : nullptr}, weight.view(), gamma.view(),
                     beta.view(), y.mutable_view(), pooled.mutable_view(), argmax.mutable_view(), mean.mutable_view(),
                     variance.mutable_view(), scale.mutable_view(), shift.mutable_view());
  update_running(problem, options, mean, variance, tensors);
  std::vector<Tensor> inputs{in, weight, gamma, beta};
  if (tensors.bias.defined()) inputs.push_back(tensors.bias);
  const auto backward = [problem, input, weight = Saved(weight), gamma = Saved(gamma), y = Saved(y),
                         pooled = Saved(pooled), argmax = Saved(argmax), mean = Saved(mean), variance = Saved(variance),
                         scale = Saved(scale), shift = Saved(shift),
                         has_bias = tensors.bias.defined()](const Tensor& dz, Gradients& gradients) {
    const Tensor& values = input.values.get();
    Tensor dx = gradients.wants(0) ? Tensor::empty_like(values) : Tensor();
    Tensor dweight = Tensor::empty_like(weight.get());
    Tensor dgamma = Tensor::empty_like(gamma.get()), dbeta = Tensor::empty_like(gamma.get());
    const std::optional<PendingNorm> pending = input.norm();
    const BlockState state{y.get().view(),        pooled.get().view(), argmax.get().view(), mean.get().view(),
                           variance.get().view(), scale.get().view(),  shift.get().view()};
    conv_block_backward(dz.stream(), problem, {values.view(), pending ? &*pending : nullptr}, weight.get().view(),
                        gamma.get().view(), state, dz.view(), dx.defined() ? dx.mutable_view() : View{},
                        dweight.mutable_view(), dgamma.mutable_view(), dbeta.mutable_view());
    if (dx.defined()) gradients.set(0, dx);
    gradients.set(1, dweight);
    gradients.set(2, dgamma);
    gradients.set(3, dbeta);
    if (has_bias) gradients.set(4, Tensor::zeros_like(dbeta));
  };
  return {record("conv_block", pooled, inputs, backward), mean, scale, shift, options.activation};
}

Tensor conv_block_infer(const Tensor& x, const BlockTensors& tensors, const BlockOptions& options) {
  require(!grad_enabled(), "conv_block_infer: has no gradient; compute under NoGrad");
  const BlockProblem problem = block_problem(x.shape(), tensors.weight.shape(), options);
  Tensor z = Tensor::empty(problem.pool().y_shape(), x.dtype(), x.device());
  conv_block_infer(x.stream(), problem, x.view(), tensors.weight.view(), tensors.gamma.view(), tensors.beta.view(),
                   mean_without_bias(tensors).view(), tensors.running_variance.view(), z.mutable_view());
  return z;
}

}  // namespace melgrad
