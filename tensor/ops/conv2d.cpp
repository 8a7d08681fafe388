#include "tensor/ops/conv2d.h"

#include "tensor/autograd.h"
#include "tensor/ops/reshape.h"

namespace melgrad {
namespace {

Conv2dProblem problem_of(const Tensor& x, const Tensor& weight, const Conv2dOptions& options) {
  if (x.shape().rank() != 4 || weight.shape().rank() != 4 || x.shape()[3] != weight.shape()[2] * options.groups) {
    fail("conv2d: x is {} and the weight {} in {} groups; expected (n, h, w, c) and (kh, kw, c / groups, o)",
         x.shape().to_string(), weight.shape().to_string(), options.groups);
  }
  Conv2dProblem problem{.n = x.shape()[0],
                        .h = x.shape()[1],
                        .w = x.shape()[2],
                        .c = x.shape()[3],
                        .o = weight.shape()[3],
                        .rows = options.rows,
                        .columns = options.columns,
                        .groups = options.groups};
  problem.rows.size = weight.shape()[0];
  problem.columns.size = weight.shape()[1];
  return problem;
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Conv2dOptions& options) {
  const Conv2dProblem problem = problem_of(x, weight, options);
  const ConvAlgorithm algorithm = options.algorithm;
  Tensor y = Tensor::empty(problem.y_shape(), x.dtype(), x.device());
  conv2d_forward(x.stream(), problem, x.view(), weight.view(), y.mutable_view(), algorithm);
  return record(
      "conv2d", y, {x, weight},
      [problem, algorithm, x = Saved(x), weight = Saved(weight)](const Tensor& dy, Gradients& gradients) {
        if (gradients.wants(0)) {
          Tensor dx = Tensor::empty_like(x.get());
          conv2d_backward_data(dy.stream(), problem, dy.view(), weight.get().view(), dx.mutable_view(), algorithm);
          gradients.set(0, dx);
        }
        if (gradients.wants(1)) {
          Tensor dweight = Tensor::empty_like(weight.get());
          conv2d_backward_weight(dy.stream(), problem, dy.view(), x.get().view(), dweight.mutable_view(), algorithm);
          gradients.set(1, dweight);
        }
      });
}

Tensor conv1d(const Tensor& x, const Tensor& weight, const Conv1dOptions& options) {
  const Shape &in = x.shape(), &w = weight.shape();
  if (in.rank() != 3 || w.rank() != 3 || in[2] != w[1] * options.groups) {
    fail("conv1d: x is {} and the weight {} in {} groups; expected (n, l, c) and (k, c / groups, o)", in.to_string(),
         w.to_string(), options.groups);
  }
  const Tensor wide_weight = reshape(weight, {w[0], 1, w[1], w[2]});
  return over_width_one("conv1d", x, [&](const Tensor& wide) {
    return conv2d(wide, wide_weight,
                  {.rows = options.window, .columns = {}, .groups = options.groups, .algorithm = options.algorithm});
  });
}

}  // namespace melgrad
