#include "tensor/ops/unary.h"

#include "tensor/autograd.h"

namespace melgrad {

Tensor unary(Unary function, const Tensor& x) {
  Tensor y = Tensor::empty_like(x);
  unary_forward(x.stream(), function, x.view(), y.mutable_view());
  return record(name_of(function).data(), y, {x}, [function, x = Saved(x)](const Tensor& dy, Gradients& gradients) {
    Tensor dx = Tensor::empty_like(dy);
    unary_backward(dy.stream(), function, x.get().view(), dy.view(), dx.mutable_view());
    gradients.set(0, dx);
  });
}

}  // namespace melgrad
