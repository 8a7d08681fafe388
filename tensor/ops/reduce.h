#pragma once

#include <vector>

#include "kernels/reduce.h"
#include "tensor/tensor.h"

namespace melgrad {

// Over the given axes (negative ones count from the end), which stay with size 1; over all axes to a scalar if none are
// given.
Tensor sum(const Tensor& x, const std::vector<int64_t>& axes = {});
Tensor mean(const Tensor& x, const std::vector<int64_t>& axes = {});

// The largest element; its gradient goes to the first of equals.
Tensor max(const Tensor& x, const std::vector<int64_t>& axes = {});

// The mean squared distance from the mean: the biased variance, as batch normalisation has it.
Tensor variance(const Tensor& x, const std::vector<int64_t>& axes = {});

}  // namespace melgrad
