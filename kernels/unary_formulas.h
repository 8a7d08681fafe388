// The formula of each function of one number, written once for all devices.
#pragma once

#include <cmath>

#include "kernels/host_device.h"
#include "kernels/unary.h"

namespace melgrad {

template <Unary function, class T>
MELGRAD_HOST_DEVICE inline T unary_value(T x) {
  if constexpr (function == Unary::exp) return std::exp(x);
  if constexpr (function == Unary::log) return std::log(x);
  if constexpr (function == Unary::sqrt) return std::sqrt(x);
  if constexpr (function == Unary::square) return x * x;
  if constexpr (function == Unary::abs) return x < T{0} ? -x : x;
}

template <Unary function, class T>
MELGRAD_HOST_DEVICE inline T unary_gradient(T x, T dy) {
  if constexpr (function == Unary::exp) return std::exp(x) * dy;
  if constexpr (function == Unary::log) return dy / x;
  if constexpr (function == Unary::sqrt) return dy / (T{2} * std::sqrt(x));
  if constexpr (function == Unary::square) return T{2} * x * dy;
  if constexpr (function == Unary::abs) return x > T{0} ? dy : x < T{0} ? -dy : T{0} * dy;
}

// Calls body.operator()<function>() with the run-time choice as a template argument.
template <class Body>
void with_unary(Unary function, const Body& body) {
  switch (function) {
    case Unary::exp:
      return body.template operator()<Unary::exp>();
    case Unary::log:
      return body.template operator()<Unary::log>();
    case Unary::sqrt:
      return body.template operator()<Unary::sqrt>();
    case Unary::square:
      return body.template operator()<Unary::square>();
    case Unary::abs:
      return body.template operator()<Unary::abs>();
  }
}

}  // namespace melgrad
