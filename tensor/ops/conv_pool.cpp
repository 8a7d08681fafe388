#include "tensor/ops/conv_pool.h"

#include "tensor/autograd.h"

namespace melgrad {

ConvPoolProblem conv_pool_problem(const Shape& x, const Shape& weight, const BlockOptions& options) {
  const BlockProblem block = block_problem(x, weight, options);
  return {block.conv, block.pool_rows, block.pool_columns, block.activation};
}

Tensor conv_pool(const Tensor& x, const Tensor& weight, const Tensor& bias, const BlockOptions& options) {
  const ConvPoolProblem problem = conv_pool_problem(x.shape(), weight.shape(), options);
  const Shape shape = problem.pool().y_shape();
  Tensor z = Tensor::empty(shape, x.dtype(), x.device());
  Tensor argmax;
  if (problem.pools() && grad_enabled()) argmax = Tensor::empty(shape, DType::i32, x.device());
  conv_pool_forward(x.stream(), problem, x.view(), weight.view(), bias.defined() ? bias.view() : ConstView{},
                    z.mutable_view(), argmax.defined() ? argmax.mutable_view() : View{});
  if (!grad_enabled()) return z;
  std::vector<Tensor> inputs{x, weight};
  if (bias.defined()) inputs.push_back(bias);
  // Nothing is pooled: z stands in for the winners that there are not.
  const Saved winners(argmax.defined() ? argmax : z);
  return record("conv_pool", z, inputs,
                [problem, x = Saved(x), weight = Saved(weight), z = Saved(z), winners, has_bias = bias.defined()](
                    const Tensor& dz, Gradients& gradients) {
                  Tensor dx, dbias, dweight = Tensor::empty_like(weight.get());
                  if (gradients.wants(0)) dx = Tensor::empty_like(x.get());
                  if (has_bias) dbias = Tensor::empty({problem.conv.o}, dz.dtype(), dz.device());
                  const auto view = [](Tensor& tensor) { return tensor.defined() ? tensor.mutable_view() : View{}; };
                  conv_pool_backward(dz.stream(), problem, x.get().view(), weight.get().view(), z.get().view(),
                                     problem.pools() ? winners.get().view() : ConstView{}, dz.view(), view(dx),
                                     dweight.mutable_view(), view(dbias));
                  if (dx.defined()) gradients.set(0, dx);
                  gradients.set(1, dweight);
                  if (has_bias) gradients.set(2, dbias);
                });
}

}  // namespace melgrad
