// Max pooling 2-D, channels-last. x (n, h, w, c), y (n, h_out, w_out, c).
//
// Padding never wins. Ties go to the first element in row-major order of the window. A NaN in the window wins, so that
// a diverging network shows. A window of padding alone, which dilation makes possible, gives -inf, argmax -1 and no
// gradient.
#pragma once

#include "kernels/cost.h"
#include "kernels/pool2d.h"
#include "kernels/stream.h"

namespace melgrad {

// `argmax` (n, h_out, w_out, c) i32: tap · columns.size + tap of the winner within its window.
void max_pool2d_forward(Stream& stream, const Pool2dProblem& problem, ConstView x, View y, View argmax);

// dx = dy where the forward pass found its winners (added where windows overlap), zero elsewhere.
void max_pool2d_backward(Stream& stream, const Pool2dProblem& problem, ConstView dy, ConstView argmax, View dx);

constexpr Cost max_pool2d_forward_cost(const Pool2dProblem& p, int64_t element_size) {
  const int64_t outputs = p.n * p.h_out() * p.w_out() * p.c;
  return {outputs * p.rows.size * p.columns.size, (p.n * p.h * p.w * p.c + outputs) * element_size + outputs * 4};
}
constexpr Cost max_pool2d_backward_cost(const Pool2dProblem& p, int64_t element_size) {
  const int64_t outputs = p.n * p.h_out() * p.w_out() * p.c;
  return {outputs, (p.n * p.h * p.w * p.c + outputs) * element_size + outputs * 4};
}

struct MaxPool2dFunctions {
  decltype(&max_pool2d_forward) forward;
  decltype(&max_pool2d_backward) backward;
};

}  // namespace melgrad
