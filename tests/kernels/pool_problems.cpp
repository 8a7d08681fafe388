#include "tests/kernels/pool_problems.h"

#include <fmt/format.h>

namespace melgrad::test {

Pool2dProblem pool_problem(const Shape& x, Window rows, Window columns, Padding padding) {
  return {x[0], x[1], x[2], x[3], padded(rows, padding, x[1]), padded(columns, padding, x[2])};
}

std::vector<Pool2dProblem> pool_problems() {
  constexpr Padding same = Padding::same, valid = Padding::valid;
  return {
      pool_problem({2, 12, 10, 48}, {4, 2}, {4, 2}, same),      // the GTZAN network's first pool
      pool_problem({3, 31, 3, 32}, {3, 2}, {3, 2}, same),       // pads 1 and 1, 1 and 1
      pool_problem({2, 31, 2, 16}, {2, 2}, {2, 2}, same),       // pads 0 and 1, 0 and 0
      pool_problem({1, 7, 9, 3}, {4, 3}, {5, 2}, same),         // unlike in every way
      pool_problem({2, 13, 11, 17}, {3, 1}, {2, 3}, valid),     // overlapping rows, columns with gaps
      pool_problem({1, 5, 5, 1}, {5, 1}, {5, 1}, valid),        // one window
      pool_problem({2, 9, 8, 5}, {3, 1, 2}, {2, 2, 3}, valid),  // dilation
      pool_problem({2, 9, 8, 33}, {3, 2, 2}, {3, 1, 2}, same),  // dilation and padding
      pool_problem({1, 23, 21, 7}, {2, 1}, {2, 1}, same),       // more outputs than 256, no multiple of 4
      pool_problem({1, 1, 1, 1}, {1, 1}, {1, 1}, valid),
      pool_problem({1, 1, 300, 2}, {1, 1}, {7, 1}, same),
      pool_problem({0, 4, 4, 3}, {2, 2}, {2, 2}, valid),
      pool_problem({2, 4, 4, 0}, {2, 2}, {2, 2}, valid),
      {1, 4, 4, 7, {3, 2, 1, 2, 0}, {3, 1, 1, 0, 2}},            // padding on one side only
      {2, 11, 14, 19, {2, 3, 1, 1, 1}, {3, 4, 1, 2, 0}},         // gaps both ways, and a rest that no window covers
      pool_problem({1, 6, 6, 1}, {3, 3}, {2, 2}, valid),         // one channel, windows apart
      {2, 3, 1, 3, {1, 1}, {2, 2, 1, 1, 0}},                     // padding before a row of one
      pool_problem({1, 9, 14, 3}, {2, 4}, {2, 5}, valid),        // wide gaps
      pool_problem({1, 7, 11, 5}, {2, 3, 2}, {2, 4, 3}, valid),  // windows apart whose taps are not neighbours
      {37, 6, 5, 20, {3, 3, 1, 0, 0}, {2, 1, 1, 1, 1}},
  };
}

std::string describe(const Pool2dProblem& p) {
  return fmt::format(" {} {}x{} stride {}x{} dilation {}x{}", p.x_shape().to_string(), p.rows.size, p.columns.size,
                     p.rows.stride, p.columns.stride, p.rows.dilation, p.columns.dilation);
}

}  // namespace melgrad::test
