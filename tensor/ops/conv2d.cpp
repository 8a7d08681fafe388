#include "tensor/ops/conv2d.h"

#include "tensor/autograd.h"

namespace melgrad {
namespace {

Conv2dProblem problem_of(const Tensor& x, const Tensor& weight, const Conv2dOptions& options) {
  if (x.shape().rank() != 4 || weight.shape().rank() != 4 || x.shape()[3] != weight.shape()[2]) {
    fail("conv2d: x is {} and the weight {}; expected (n, h, w, c) and (kh, kw, c, o)", x.shape().to_string(),
         weight.shape().to_string());
  }
  Conv2dProblem problem{.n = x.shape()[0],
                        .h = x.shape()[1],
                        .w = x.shape()[2],
                        .c = x.shape()[3],
                        .o = weight.shape()[3],
                        .rows = options.rows,
                        .columns = options.columns};
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

}  // namespace melgrad
