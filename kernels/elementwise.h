// Elementwise arithmetic with NumPy's broadcasting: shapes align at their last axis; an axis of size 1 or a missing one
// is repeated. y has the broadcast shape.
#pragma once

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

enum class Binary : uint8_t { add, subtract, multiply, divide };

template <>
inline constexpr EnumNames<Binary, 4> enum_names<Binary>{
    {{Binary::add, "add"}, {Binary::subtract, "subtract"}, {Binary::multiply, "multiply"}, {Binary::divide, "divide"}}};

// The shape that a and b broadcast to; throws if they do not.
Shape broadcast_shape(const char* operation, const Shape& a, const Shape& b);

// y = a ∘ b. y may be a or b where it has y's shape.
void elementwise_binary(Stream& stream, Binary operation, ConstView a, ConstView b, View y);

// y = factor · x, broadcast to y's shape. y may be x where it has y's shape.
void elementwise_scale(Stream& stream, double factor, ConstView x, View y);

constexpr Cost binary_cost(int64_t n, int64_t element_size) {
  return {n, 3 * n * element_size};
}
constexpr Cost scale_cost(int64_t n, int64_t element_size) {
  return {n, 2 * n * element_size};
}

struct ElementwiseFunctions {
  decltype(&elementwise_binary) binary;
  decltype(&elementwise_scale) scale;
};

}  // namespace melgrad
