#include "tensor/ops/dropout.h"

#include "tensor/autograd.h"
#include "tensor/ops/elementwise.h"

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

Tensor channel_dropout(const Tensor& x, double rate, const Philox& random) {
  if (x.shape().rank() < 2) fail("channel_dropout: x is {}, expected (n, …, c)", x.shape().to_string());
  Shape channels{x.shape()[0]};
  for (int64_t axis = 1; axis + 1 < x.shape().rank(); ++axis) channels.append(1);
  channels.append(x.shape()[-1]);
  const Tensor ones = Tensor::full(channels, 1, x.dtype(), x.device());
  return multiply(x, dropout(ones, rate, random));
}

Tensor gaussian_noise(const Tensor& x, double deviation, const Philox& random) {
  Tensor y = Tensor::empty_like(x);
  gaussian_noise(x.stream(), deviation, random, x.view(), y.mutable_view());
  return record("gaussian_noise", y, {x}, [](const Tensor& dy, Gradients& gradients) { gradients.set(0, dy); });
}

}  // namespace melgrad
