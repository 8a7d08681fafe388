// Reference of the element-wise losses: the definition, as loops. See kernels/element_loss.h.
#pragma once

#include "kernels/element_loss_formulas.h"

namespace melgrad::reference {

// Elements begin … end.
template <class T>
void element_loss_forward(ElementLoss loss, const T* x, const T* t, T* y, int64_t begin, int64_t end) {
  with_element_loss(loss, [&]<ElementLoss f>() {
    for (int64_t i = begin; i < end; ++i) y[i] = element_loss<f>(x[i], t[i]);
  });
}

template <class T>
void element_loss_backward(ElementLoss loss, const T* x, const T* t, const T* dy, T* dx, int64_t begin, int64_t end) {
  with_element_loss(loss, [&]<ElementLoss f>() {
    for (int64_t i = begin; i < end; ++i) dx[i] = element_loss_gradient<f>(x[i], t[i]) * dy[i];
  });
}

template <class T>
void element_loss_forward(ElementLoss loss, ConstView prediction, ConstView target, View y) {
  element_loss_forward(loss, prediction.as<T>(), target.as<T>(), y.as<T>(), 0, y.numel());
}

template <class T>
void element_loss_backward(ElementLoss loss, ConstView prediction, ConstView target, ConstView dy, View dx) {
  element_loss_backward(loss, prediction.as<T>(), target.as<T>(), dy.as<T>(), dx.as<T>(), 0, dx.numel());
}

}  // namespace melgrad::reference
