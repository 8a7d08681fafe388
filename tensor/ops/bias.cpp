#include "tensor/ops/bias.h"

#include "tensor/autograd.h"

namespace melgrad {

Tensor add_bias(const Tensor& x, const Tensor& bias) {
  Tensor y = Tensor::empty_like(x);
  bias_forward(x.stream(), x.view(), bias.view(), y.mutable_view());
  return record("add_bias", y, {x, bias}, [channels = bias.shape()](const Tensor& dy, Gradients& gradients) {
    gradients.set(0, dy);
    if (gradients.wants(1)) {
      Tensor dbias = Tensor::empty(channels, dy.dtype(), dy.device());
      bias_backward(dy.stream(), dy.view(), dbias.mutable_view());
      gradients.set(1, dbias);
    }
  });
}

}  // namespace melgrad
