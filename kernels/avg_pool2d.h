// Average pooling 2-D, channels-last. x (n, h, w, c), y (n, h_out, w_out, c).
#pragma once

#include "kernels/cost.h"
#include "kernels/pool2d.h"
#include "kernels/stream.h"

namespace melgrad {

// What a window at the edge is divided by.
enum class AverageOver : uint8_t {
  inside,  // the elements that lie in x: Keras. A window of padding alone gives 0
  window,  // all, padding counting as zeros: PyTorch's default (count_include_pad)
};

template <>
inline constexpr EnumNames<AverageOver, 2> enum_names<AverageOver>{
    {{AverageOver::inside, "inside"}, {AverageOver::window, "window"}}};

void avg_pool2d_forward(Stream& stream, const Pool2dProblem& problem, AverageOver over, ConstView x, View y);

// dx: each element of dy, divided likewise, to every element of its window.
void avg_pool2d_backward(Stream& stream, const Pool2dProblem& problem, AverageOver over, ConstView dy, View dx);

// The same for both directions.
constexpr Cost avg_pool2d_cost(const Pool2dProblem& p, int64_t element_size) {
  const int64_t outputs = p.n * p.h_out() * p.w_out() * p.c;
  return {outputs * (p.rows.size * p.columns.size + 1), (p.n * p.h * p.w * p.c + outputs) * element_size};
}

struct AvgPool2dFunctions {
  decltype(&avg_pool2d_forward) forward;
  decltype(&avg_pool2d_backward) backward;
};

}  // namespace melgrad
