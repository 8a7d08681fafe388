#include "tensor/ops/conv_block.h"

#include <algorithm>

#include "kernels/activation.h"
#include "kernels/first_block.h"
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

// A first block computed where the block behind it reads it: what of it the backward pass needs.
struct SavedFirst {
  BlockProblem problem;
  Saved weight, gamma, beta, mean, variance, moments;
  bool has_bias;

  FirstBlockInput view() const {
    return {problem,           weight.get().view(), gamma.get().view(),
            beta.get().view(), mean.get().view(),   variance.get().view()};
  }

  // From the gradient dz of what was read; dx is undefined where nobody wants it. Inputs as in inputs_of(), from `at` on.
  void backward(const Tensor& x, const Tensor& dz, Tensor& dx, std::size_t at, Gradients& gradients) const {
    Tensor dweight = Tensor::empty_like(weight.get());
    Tensor dgamma = Tensor::empty_like(gamma.get()), dbeta = Tensor::empty_like(gamma.get());
    const FirstBlockInput first = view();
    first_block_backward(dz.stream(), problem, x.view(), first.weight, first.gamma, first.beta, first.mean,
                         first.variance, moments.get().view(), dz.view(), dx.defined() ? dx.mutable_view() : View{},
                         dweight.mutable_view(), dgamma.mutable_view(), dbeta.mutable_view());
    gradients.set(at, dweight);
    gradients.set(at + 1, dgamma);
    gradients.set(at + 2, dbeta);
    if (has_bias) gradients.set(at + 3, Tensor::zeros_like(dbeta));
  }
};

SavedFirst measure_first(const Tensor& x, FirstBlock first) {
  BlockTensors& tensors = first.tensors;
  const BlockProblem problem = block_problem(x.shape(), tensors.weight.shape(), first.options);
  Tensor mean = Tensor::empty_like(tensors.gamma), variance = Tensor::empty_like(tensors.gamma);
  Tensor moments = Tensor::empty(first_block_moments_shape(problem), DType::f64, x.device());
  first_block_statistics(x.stream(), problem, x.view(), tensors.weight.view(), mean.mutable_view(),
                         variance.mutable_view(), moments.mutable_view());
  update_running(problem, first.options, mean, variance, tensors);
  return {problem,     Saved(tensors.weight), Saved(tensors.gamma), Saved(tensors.beta),
          Saved(mean), Saved(variance),       Saved(moments),       tensors.bias.defined()};
}

// A block's parameters on the tape.
void add_inputs(const BlockTensors& tensors, std::vector<Tensor>& inputs) {
  inputs.insert(inputs.end(), {tensors.weight, tensors.gamma, tensors.beta});
  if (tensors.bias.defined()) inputs.push_back(tensors.bias);
}

// What the forward pass leaves for the backward pass.
struct TrainedBlock {
  BlockProblem problem;
  SavedInput input;
  std::optional<SavedFirst> first;
  Saved weight, gamma, y, pooled, argmax, mean, variance, scale, shift;
  bool has_bias;

  void operator()(const Tensor& dz, Gradients& gradients) const {
    const Tensor& values = input.values.get();
    Tensor dx = gradients.wants(0) ? Tensor::empty_like(values) : Tensor();
    Tensor read = first ? Tensor::empty(problem.conv.x_shape(), values.dtype(), values.device()) : dx;
    Tensor dweight = Tensor::empty_like(weight.get());
    Tensor dgamma = Tensor::empty_like(gamma.get()), dbeta = Tensor::empty_like(gamma.get());
    const std::optional<PendingNorm> norm = input.norm();
    const std::optional<FirstBlockInput> before = first ? std::optional(first->view()) : std::nullopt;
    const BlockState state{y.get().view(),        pooled.get().view(), argmax.get().view(), mean.get().view(),
                           variance.get().view(), scale.get().view(),  shift.get().view()};
    conv_block_backward(dz.stream(), problem, {values.view(), norm ? &*norm : nullptr, before ? &*before : nullptr},
                        weight.get().view(), gamma.get().view(), state, dz.view(),
                        read.defined() ? read.mutable_view() : View{}, dweight.mutable_view(), dgamma.mutable_view(),
                        dbeta.mutable_view());
    gradients.set(1, dweight);
    gradients.set(2, dgamma);
    gradients.set(3, dbeta);
    if (has_bias) gradients.set(4, Tensor::zeros_like(dbeta));
    if (first) first->backward(values, read, dx, has_bias ? 5 : 4, gradients);
    if (dx.defined()) gradients.set(0, dx);
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

PendingBlock conv_block_train(const PendingBlock& x, BlockTensors tensors, const BlockOptions& options,
                              const FirstBlock* first) {
  const Tensor &in = x.values, &weight = tensors.weight, &gamma = tensors.gamma, &beta = tensors.beta;
  const SavedInput input(x);
  const std::optional<PendingNorm> norm = input.norm();
  const std::optional<SavedFirst> before = first != nullptr ? std::optional(measure_first(in, *first)) : std::nullopt;
  const std::optional<FirstBlockInput> read = before ? std::optional(before->view()) : std::nullopt;
  const Shape x_shape = before ? before->problem.pool().y_shape() : in.shape();
  const BlockProblem problem = block_problem(x_shape, weight.shape(), options);
  Tensor y = Tensor::empty(problem.conv.y_shape(), in.dtype(), in.device());
  Tensor pooled = Tensor::empty(problem.pool().y_shape(), in.dtype(), in.device());
  Tensor argmax = Tensor::empty(pooled.shape(), DType::u8, in.device());
  Tensor mean = Tensor::empty_like(gamma), variance = Tensor::empty_like(gamma);
  Tensor scale = Tensor::empty_like(gamma), shift = Tensor::empty_like(gamma);
  conv_block_forward(in.stream(), problem, {in.view(), norm ? &*norm : nullptr, read ? &*read : nullptr}, weight.view(),
                     gamma.view(), beta.view(), y.mutable_view(), pooled.mutable_view(), argmax.mutable_view(),
                     mean.mutable_view(), variance.mutable_view(), scale.mutable_view(), shift.mutable_view());
  update_running(problem, options, mean, variance, tensors);
  std::vector<Tensor> inputs{in};
  add_inputs(tensors, inputs);
  if (first != nullptr) add_inputs(first->tensors, inputs);
  const TrainedBlock backward{problem,
                              input,
                              before,
                              Saved(weight),
                              Saved(gamma),
                              Saved(y),
                              Saved(pooled),
                              Saved(argmax),
                              Saved(mean),
                              Saved(variance),
                              Saved(scale),
                              Saved(shift),
                              tensors.bias.defined()};
  return {record(before ? "first_two_blocks" : "conv_block", pooled, inputs, backward), mean, scale, shift,
          options.activation};
}

const Tensor& FoldedBlock::get(const BlockProblem& problem, const BlockTensors& tensors) {
  Conv2dProblem conv = problem.conv;
  conv.n = 1;
  std::vector<Written> now;
  for (const Tensor* tensor : {&tensors.weight, &tensors.bias, &tensors.gamma, &tensors.beta, &tensors.running_mean,
                               &tensors.running_variance})
    if (tensor->defined()) now.push_back({tensor->storage(), tensor->storage()->version.load()});
  const auto same = [](const Written& a, const Written& b) {
    return a.storage.lock() == b.storage.lock() && a.version == b.version;
  };
  if (folded_.defined() && conv == conv_ && std::equal(now.begin(), now.end(), seen_.begin(), seen_.end(), same))
    return folded_;
  folded_ = Tensor();  // its memory may serve anew
  folded_ = Tensor::empty({conv_block_folded_size(tensors.weight.device(), problem)}, tensors.weight.dtype(),
                          tensors.weight.device());
  conv_block_fold(folded_.stream(), problem, tensors.weight.view(), tensors.gamma.view(), tensors.beta.view(),
                  mean_without_bias(tensors).view(), tensors.running_variance.view(), folded_.mutable_view());
  conv_ = conv;
  seen_ = std::move(now);
  return folded_;
}

Tensor conv_block_infer(const Tensor& x, const BlockTensors& tensors, const BlockOptions& options, FoldedBlock& folded,
                        const FirstBlock* first) {
  require(!grad_enabled(), "conv_block_infer: has no gradient; compute under NoGrad");
  std::optional<FirstBlockInput> read;
  Tensor first_mean;  // lives as long as its view
  if (first != nullptr) {
    const BlockTensors& t = first->tensors;
    first_mean = mean_without_bias(t);
    read = FirstBlockInput{block_problem(x.shape(), t.weight.shape(), first->options),
                           t.weight.view(),
                           t.gamma.view(),
                           t.beta.view(),
                           first_mean.view(),
                           t.running_variance.view()};
  }
  const Shape x_shape = read ? read->problem.pool().y_shape() : x.shape();
  const BlockProblem problem = block_problem(x_shape, tensors.weight.shape(), options);
  Tensor z = Tensor::empty(problem.pool().y_shape(), x.dtype(), x.device());
  conv_block_infer(x.stream(), problem, {x.view(), nullptr, read ? &*read : nullptr},
                   folded.get(problem, tensors).view(), z.mutable_view());
  return z;
}

}  // namespace melgrad
