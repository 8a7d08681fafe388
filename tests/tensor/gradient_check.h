// Checks the gradients of differentiable functions against central differences, in f64.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace melgrad::test {

// Repeatable f64 tensors; `id` tells those of one test apart.
Tensor uniform_tensor(const Shape& shape, uint32_t id, double low = -1, double high = 1);
// 0.2 to 1.5 in magnitude, of either sign: off the kink of relu, and fit to divide by.
Tensor nonzero_tensor(const Shape& shape, uint32_t id);
// All elements at least 0.1 apart: no ties, and none within the step of a difference.
Tensor distinct_tensor(const Shape& shape, uint32_t id);

std::vector<double> values_of(const Tensor& tensor);

// The function must give the same result each time, whatever it does beside (running statistics).
using TensorFunction = std::function<Tensor(const std::vector<Tensor>& inputs)>;

struct GradientCheckOptions {
  double step = 1e-5;
  double tolerance = 1e-7;   // of the largest gradient of the tensor, and of 1
  bool may_be_zero = false;  // otherwise a gradient of zeros is a failure: it would prove nothing
};

// With the loss <r, y> for a random r (a plain sum of y cannot see, for instance, a wrong batch norm gradient),
// compares what backward() puts into each input's grad() with the slope of the loss along each element. Then asks for
// each gradient alone, which must be the same and come alone.
void check_gradients(const std::string& name, const TensorFunction& function, const std::vector<Tensor>& inputs,
                     const GradientCheckOptions& options = {});

// |a - b| <= tolerance · max(1, largest |b|) for every element, and equal sizes. False for a NaN on either side.
bool all_close(const std::vector<double>& a, const std::vector<double>& b, double tolerance);

}  // namespace melgrad::test
