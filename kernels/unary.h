// Functions of one number, element by element. Activations, whose gradient needs their output alone, are activation.h's.
#pragma once

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

enum class Unary : uint8_t { exp, log, sqrt, square, abs };

template <>
inline constexpr EnumNames<Unary, 5> enum_names<Unary>{
    {{Unary::exp, "exp"}, {Unary::log, "log"}, {Unary::sqrt, "sqrt"}, {Unary::square, "square"}, {Unary::abs, "abs"}}};

// y = f(x), as C++'s functions of these names: log(0) is -inf, log and sqrt of less are NaN. y may be x.
void unary_forward(Stream& stream, Unary function, ConstView x, View y);

// dx = f'(x) dy; that of abs at 0 is 0. dx may be dy.
void unary_backward(Stream& stream, Unary function, ConstView x, ConstView dy, View dx);

constexpr Cost unary_forward_cost(int64_t n, int64_t element_size) {
  return {n, 2 * n * element_size};
}
constexpr Cost unary_backward_cost(int64_t n, int64_t element_size) {
  return {2 * n, 3 * n * element_size};
}

struct UnaryFunctions {
  decltype(&unary_forward) forward;
  decltype(&unary_backward) backward;
};

}  // namespace melgrad
