#include "tensor/ops/reshape.h"

#include "tensor/autograd.h"

namespace melgrad {

Tensor reshape(const Tensor& x, const Shape& shape) {
  return record("reshape", x.with_shape(shape), {x}, [before = x.shape()](const Tensor& dy, Gradients& gradients) {
    gradients.set(0, dy.with_shape(before));
  });
}

Tensor flatten(const Tensor& x) {
  const Shape sample = x.shape().without_batch();
  return reshape(x, {x.shape()[0], sample.numel()});
}

}  // namespace melgrad
