#include "tensor/ops/avg_pool2d.h"

#include "tensor/autograd.h"
#include "tensor/ops/reshape.h"

namespace melgrad {

Tensor avg_pool2d(const Tensor& x, const Window& rows, const Window& columns, AverageOver over) {
  if (x.shape().rank() != 4) fail("avg_pool2d: x is {}, expected (n, h, w, c)", x.shape().to_string());
  const Pool2dProblem problem{
      .n = x.shape()[0], .h = x.shape()[1], .w = x.shape()[2], .c = x.shape()[3], .rows = rows, .columns = columns};
  Tensor y = Tensor::empty(problem.y_shape(), x.dtype(), x.device());
  avg_pool2d_forward(x.stream(), problem, over, x.view(), y.mutable_view());
  return record("avg_pool2d", y, {x}, [problem, over](const Tensor& dy, Gradients& gradients) {
    Tensor dx = Tensor::empty(problem.x_shape(), dy.dtype(), dy.device());
    avg_pool2d_backward(dy.stream(), problem, over, dy.view(), dx.mutable_view());
    gradients.set(0, dx);
  });
}

Tensor avg_pool1d(const Tensor& x, const Window& window, AverageOver over) {
  return over_width_one("avg_pool1d", x, [&](const Tensor& wide) { return avg_pool2d(wide, window, {}, over); });
}

}  // namespace melgrad
