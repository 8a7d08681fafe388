// Pools of awkward sizes, for max and average alike.
#pragma once

#include <vector>

#include "kernels/pool2d.h"

namespace melgrad::test {

// With the padding that the rule means for x.
Pool2dProblem pool_problem(const Shape& x, Window rows, Window columns, Padding padding);

std::vector<Pool2dProblem> pool_problems();
std::string describe(const Pool2dProblem& problem);

}  // namespace melgrad::test
