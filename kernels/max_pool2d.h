// Max pooling 2-D, channels-last. x (n, h, w, c), y (n, h_out, w_out, c).
//
// Padding never wins. Ties go to the first element in row-major order of the window. A NaN in the window wins, so that
// a diverging network shows. A window of padding alone, which dilation makes possible, gives -inf, argmax -1 and no
// gradient.
#pragma once

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"
#include "kernels/window.h"

namespace melgrad {

struct MaxPool2dProblem {
  int64_t n = 1, h = 1, w = 1, c = 1;
  Window rows, columns;

  constexpr int64_t h_out() const { return rows.output(h); }
  constexpr int64_t w_out() const { return columns.output(w); }
  Shape x_shape() const { return {n, h, w, c}; }
  Shape y_shape() const { return {n, h_out(), w_out(), c}; }
  constexpr bool operator==(const MaxPool2dProblem&) const = default;
};

// `argmax` (n, h_out, w_out, c) i32: tap · columns.size + tap of the winner within its window.
void max_pool2d_forward(Stream& stream, const MaxPool2dProblem& problem, ConstView x, View y, View argmax);

// dx = dy where the forward pass found its winners (added where windows overlap), zero elsewhere.
void max_pool2d_backward(Stream& stream, const MaxPool2dProblem& problem, ConstView dy, ConstView argmax, View dx);

constexpr Cost max_pool2d_forward_cost(const MaxPool2dProblem& p, int64_t element_size) {
  const int64_t outputs = p.n * p.h_out() * p.w_out() * p.c;
  return {outputs * p.rows.size * p.columns.size, (p.n * p.h * p.w * p.c + outputs) * element_size + outputs * 4};
}
constexpr Cost max_pool2d_backward_cost(const MaxPool2dProblem& p, int64_t element_size) {
  const int64_t outputs = p.n * p.h_out() * p.w_out() * p.c;
  return {outputs, (p.n * p.h * p.w * p.c + outputs) * element_size + outputs * 4};
}

struct MaxPool2dFunctions {
  decltype(&max_pool2d_forward) forward;
  decltype(&max_pool2d_backward) backward;
};

}  // namespace melgrad
