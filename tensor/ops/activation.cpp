#include "tensor/ops/activation.h"

#include "tensor/autograd.h"

namespace melgrad {

Tensor activation(ActivationChoice choice, const Tensor& x) {
  if (choice.function == Activation::linear) return x;
  Tensor y = Tensor::empty_like(x);
  activation_forward(x.stream(), choice, x.view(), y.mutable_view());
  return record("activation", y, {x}, [choice, y = Saved(y)](const Tensor& dy, Gradients& gradients) {
    Tensor dx = Tensor::empty_like(dy);
    activation_backward(dy.stream(), choice, y.get().view(), dy.view(), dx.mutable_view());
    gradients.set(0, dx);
  });
}

}  // namespace melgrad
