// The formula of each element-wise loss, written once for all devices.
#pragma once

#include "kernels/activation_formulas.h"
#include "kernels/element_loss.h"

namespace melgrad {

// A probability away from 0 and 1, whose logarithms would be infinite. A NaN stays one.
template <class T>
MELGRAD_HOST_DEVICE inline T held(T probability) {
  constexpr T least = T(1e-7);
  return probability < least ? least : probability > T{1} - least ? T{1} - least : probability;
}

template <ElementLoss loss, class T>
MELGRAD_HOST_DEVICE inline T element_loss(T x, T t) {
  if constexpr (loss == ElementLoss::squared_error) return (x - t) * (x - t);
  // log(1 + exp(x)) - t x, the exponential's argument never positive.
  if constexpr (loss == ElementLoss::binary_cross_entropy_logits)
    return (x > T{0} ? x : T{0}) - t * x + std::log1p(std::exp(x > T{0} ? -x : x));
  if constexpr (loss == ElementLoss::binary_cross_entropy)
    return -t * std::log(held(x)) - (T{1} - t) * std::log1p(-held(x));
  if constexpr (loss == ElementLoss::cross_entropy) return -t * std::log(held(x));
}

template <ElementLoss loss, class T>
MELGRAD_HOST_DEVICE inline T element_loss_gradient(T x, T t) {
  if constexpr (loss == ElementLoss::squared_error) return T{2} * (x - t);
  if constexpr (loss == ElementLoss::binary_cross_entropy_logits) return logistic(x) - t;
  if (held(x) != x) return x != x ? x : T{0};
  if constexpr (loss == ElementLoss::binary_cross_entropy) return (x - t) / (x * (T{1} - x));
  if constexpr (loss == ElementLoss::cross_entropy) return -t / x;
}

// Calls body.operator()<loss>() with the run-time choice as a template argument.
template <class Body>
void with_element_loss(ElementLoss loss, const Body& body) {
  switch (loss) {
    case ElementLoss::squared_error:
      return body.template operator()<ElementLoss::squared_error>();
    case ElementLoss::binary_cross_entropy_logits:
      return body.template operator()<ElementLoss::binary_cross_entropy_logits>();
    case ElementLoss::binary_cross_entropy:
      return body.template operator()<ElementLoss::binary_cross_entropy>();
    case ElementLoss::cross_entropy:
      return body.template operator()<ElementLoss::cross_entropy>();
  }
}

}  // namespace melgrad
