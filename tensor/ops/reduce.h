#pragma once

#include <vector>

#include "kernels/reduce.h"
#include "tensor/tensor.h"

namespace melgrad {

// Over the given axes (negative ones count from the end), which stay with size 1; over all axes to a scalar if none are
// given.
Tensor sum(const Tensor& x, const std::vector<int64_t>& axes = {});
Tensor mean(const Tensor& x, const std::vector<int64_t>& axes = {});

}  // namespace melgrad
