#include "tensor/ops/block.h"

#include "tensor/autograd.h"
#include "tensor/ops/elementwise.h"

namespace melgrad {

BlockProblem block_problem(const Shape& x, const Shape& w, const BlockOptions& options) {
  if (x.rank() != 4 || w.rank() != 4)
    fail("block: x is {} and the weight {}; expected (n, h, w, c) and (kh, kw, c, o)", x.to_string(), w.to_string());
  BlockProblem problem{.conv = {x[0], x[1], x[2], x[3], w[3], options.rows, options.columns},
                       .pool_rows = options.pool_rows,
                       .pool_columns = options.pool_columns,
                       .epsilon = options.norm.epsilon,
                       .activation = options.activation};
  problem.conv.rows.size = w[0];
  problem.conv.columns.size = w[1];
  return problem;
}

void update_running(const BlockProblem& problem, const BlockOptions& options, const Tensor& mean,
                    const Tensor& variance, BlockTensors& tensors) {
  if (recomputing()) return;
  const NoGrad no_grad;
  const Tensor seen = tensors.bias.defined() ? add(mean, tensors.bias) : mean;
  batch_norm_update_running(mean.stream(), options.norm.momentum.keep, options.norm.running_variance,
                            problem.positions(), seen.view(), variance.view(), tensors.running_mean.mutable_view(),
                            tensors.running_variance.mutable_view());
}

Tensor mean_without_bias(const BlockTensors& tensors) {
  const NoGrad no_grad;
  return tensors.bias.defined() ? subtract(tensors.running_mean, tensors.bias) : tensors.running_mean;
}

}  // namespace melgrad
