// Gradients against central differences in f64. This is what proves the reference; everything else is compared with it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/kernels/operation_check.h"

namespace melgrad::test {

// The loss is <r, y> with random r: a plain sum of y cannot see, say, a wrong gradient of a batch norm.
struct GradientCase {
  std::string name;
  std::vector<std::string> proves;  // the contract's functions whose results `backward` gives
  std::vector<InputSpec> inputs;    // an index is not differentiated
  std::vector<OutputSpec> outputs;  // the first is y; the backward pass may use the others
  std::function<void(Stream&, Inputs, Outputs)> forward;
  // `gradients` are shaped as the inputs that are no index, in order.
  std::function<void(Stream&, Inputs, Outputs forward_outputs, ConstView dy, Outputs gradients)> backward;
};

// Each gradient within 1e-7 of the scale of its array.
void check_gradient(const GradientCase& gradient_case);

}  // namespace melgrad::test
