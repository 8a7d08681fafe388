#include "tensor/ops/dropout.h"

#include "tensor/autograd.h"

namespace melgrad {

Tensor dropout(const Tensor& x, double rate, const Philox& random) {
  Tensor y = Tensor::empty_like(x);
  dropout(x.stream(), rate, random, x.view(), y.mutable_view());
  return record("dropout", y, {x}, [rate, random](const Tensor& dy, Gradients& gradients) {
    Tensor dx = Tensor::empty_like(dy);
    dropout(dy.stream(), rate, random, dy.view(), dx.mutable_view());
    gradients.set(0, dx);
  });
}

}  // namespace melgrad
