// Reductions over any axes. y has x's shape with 1 where an axis is reduced. A y of fewer axes (say a scalar) may be
// had by viewing the same memory under another shape.
//
// Sums are blocked: fixed chunks, added in a fixed order, whatever the number of threads.
#pragma once

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

enum class Reduction : uint8_t { sum, mean, max };

template <>
inline constexpr EnumNames<Reduction, 3> enum_names<Reduction>{
    {{Reduction::sum, "sum"}, {Reduction::mean, "mean"}, {Reduction::max, "max"}}};

// Which axes are reduced follows from the shapes: those where y is 1 and x is not. max and mean of no elements throw;
// sum of none is 0. max of a NaN is NaN.
void reduce(Stream& stream, Reduction reduction, ConstView x, View y);

// dx = dy at the first element, in row-major order, that equals the maximum y of its axes (or is NaN where y is), and 0
// elsewhere. y and dy are shaped as `reduce` gives them.
void reduce_max_backward(Stream& stream, ConstView x, ConstView y, ConstView dy, View dx);

constexpr Cost reduce_cost(int64_t inputs, int64_t outputs, int64_t element_size) {
  return {inputs, (inputs + outputs) * element_size};
}

constexpr Cost reduce_max_backward_cost(int64_t inputs, int64_t outputs, int64_t element_size) {
  return {inputs, (2 * inputs + 2 * outputs) * element_size};
}

struct ReduceFunctions {
  decltype(&reduce) run;
  decltype(&reduce_max_backward) max_backward;
};

}  // namespace melgrad
