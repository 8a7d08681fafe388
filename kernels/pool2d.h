// The sizes of a pooling 2-D: x (n, h, w, c), y (n, h_out, w_out, c). Shared by max and average.
#pragma once

#include "kernels/view.h"
#include "kernels/window.h"

namespace melgrad {

struct Pool2dProblem {
  int64_t n = 1, h = 1, w = 1, c = 1;
  Window rows, columns;

  constexpr int64_t h_out() const { return rows.output(h); }
  constexpr int64_t w_out() const { return columns.output(w); }
  Shape x_shape() const { return {n, h, w, c}; }
  Shape y_shape() const { return {n, h_out(), w_out(), c}; }
  constexpr bool operator==(const Pool2dProblem&) const = default;
};

// Throws unless both windows fit.
inline void expect_pool(const char* operation, const Pool2dProblem& problem) {
  expect_window(operation, "height", problem.rows, problem.h);
  expect_window(operation, "width", problem.columns, problem.w);
}

}  // namespace melgrad
