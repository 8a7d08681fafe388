#include "tensor/ops/softmax.h"

#include "tensor/autograd.h"

namespace melgrad {

Tensor softmax(const Tensor& x) {
  Tensor y = Tensor::empty_like(x);
  softmax_forward(x.stream(), x.view(), y.mutable_view());
  return record("softmax", y, {x}, [y = Saved(y)](const Tensor& dy, Gradients& gradients) {
    Tensor dx = Tensor::empty_like(dy);
    softmax_backward(dy.stream(), y.get().view(), dy.view(), dx.mutable_view());
    gradients.set(0, dx);
  });
}

Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& labels) {
  if (logits.shape().rank() != 2) {
    fail("softmax_cross_entropy: logits are {}, expected (rows, classes)", logits.shape().to_string());
  }
  Tensor loss = Tensor::empty({logits.shape()[0]}, logits.dtype(), logits.device());
  Tensor probabilities = Tensor::empty_like(logits);
  softmax_cross_entropy_forward(logits.stream(), logits.view(), labels.view(), loss.mutable_view(),
                                probabilities.mutable_view());
  return record(
      "softmax_cross_entropy", loss, {logits},
      [probabilities = Saved(probabilities), labels = Saved(labels)](const Tensor& dloss, Gradients& gradients) {
        Tensor dlogits = Tensor::empty_like(probabilities.get());
        softmax_cross_entropy_backward(dloss.stream(), probabilities.get().view(), labels.get().view(), dloss.view(),
                                       dlogits.mutable_view());
        gradients.set(0, dlogits);
      });
}

}  // namespace melgrad
