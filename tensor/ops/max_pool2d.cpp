#include "tensor/ops/max_pool2d.h"

#include "tensor/autograd.h"
#include "tensor/ops/reshape.h"

namespace melgrad {

Tensor max_pool2d(const Tensor& x, const Window& rows, const Window& columns) {
  if (x.shape().rank() != 4) fail("max_pool2d: x is {}, expected (n, h, w, c)", x.shape().to_string());
  const Pool2dProblem problem{
      .n = x.shape()[0], .h = x.shape()[1], .w = x.shape()[2], .c = x.shape()[3], .rows = rows, .columns = columns};
  Tensor y = Tensor::empty(problem.y_shape(), x.dtype(), x.device());
  Tensor argmax = Tensor::empty(problem.y_shape(), DType::i32, x.device());
  max_pool2d_forward(x.stream(), problem, x.view(), y.mutable_view(), argmax.mutable_view());
  return record("max_pool2d", y, {x}, [problem, argmax = Saved(argmax)](const Tensor& dy, Gradients& gradients) {
    Tensor dx = Tensor::empty(problem.x_shape(), dy.dtype(), dy.device());
    max_pool2d_backward(dy.stream(), problem, dy.view(), argmax.get().view(), dx.mutable_view());
    gradients.set(0, dx);
  });
}

Tensor max_pool1d(const Tensor& x, const Window& window) {
  return over_width_one("max_pool1d", x, [&](const Tensor& wide) { return max_pool2d(wide, window, {}); });
}

}  // namespace melgrad
