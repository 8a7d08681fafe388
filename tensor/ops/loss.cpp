#include "tensor/ops/loss.h"

#include "tensor/autograd.h"

namespace melgrad {

Tensor element_loss(ElementLoss loss, const Tensor& prediction, const Tensor& target) {
  Tensor y = Tensor::empty_like(prediction);
  element_loss_forward(prediction.stream(), loss, prediction.view(), target.view(), y.mutable_view());
  return record("element_loss", y, {prediction},
                [loss, x = Saved(prediction), t = Saved(target)](const Tensor& dy, Gradients& gradients) {
                  Tensor dx = Tensor::empty_like(dy);
                  element_loss_backward(dy.stream(), loss, x.get().view(), t.get().view(), dy.view(),
                                        dx.mutable_view());
                  gradients.set(0, dx);
                });
}

Tensor soft_cross_entropy(const Tensor& logits, const Tensor& targets, TargetScale scale) {
  if (logits.shape().rank() != 2)
    fail("soft_cross_entropy: logits are {}, expected (rows, classes)", logits.shape().to_string());
  Tensor loss = Tensor::empty({logits.shape()[0]}, logits.dtype(), logits.device());
  Tensor probabilities = Tensor::empty_like(logits);
  soft_cross_entropy_forward(logits.stream(), scale, logits.view(), targets.view(), loss.mutable_view(),
                             probabilities.mutable_view());
  return record("soft_cross_entropy", loss, {logits},
                [scale, probabilities = Saved(probabilities), targets = Saved(targets)](const Tensor& dloss,
                                                                                        Gradients& gradients) {
                  Tensor dlogits = Tensor::empty_like(probabilities.get());
                  soft_cross_entropy_backward(dloss.stream(), scale, probabilities.get().view(), targets.get().view(),
                                              dloss.view(), dlogits.mutable_view());
                  gradients.set(0, dlogits);
                });
}

}  // namespace melgrad
