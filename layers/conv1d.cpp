#include "layers/conv1d.h"

#include "layers/conv2d.h"

namespace melgrad {

Shape Conv1D::build(const Shape& input, BuildContext& context) {
  require(options_.filters >= 1, "conv1d: {} filters, expected at least 1", options_.filters);
  if (input.rank() != 2) fail("conv1d: the input is {}, expected (length, channels)", input.to_string());
  expect_groups("conv1d", input[1], options_.filters, options_.groups);
  window_ = {.window = make_window("conv1d", "length",
                                   {.size = options_.kernel, .stride = options_.stride, .dilation = options_.dilation},
                                   options_.padding, input[0]),
             .groups = options_.groups,
             .algorithm = options_.algorithm};
  make_weight(options_.initializer, {options_.kernel, input[1] / options_.groups, options_.filters}, options_.bias,
              context);
  return {window_.window.output(input[0]), options_.filters};
}

Tensor Conv1D::convolve(const Tensor& x) const {
  return conv1d(x, weight_, window_);
}

int64_t Conv1D::flops(const Shape& input) const {
  const Conv2dProblem problem{
      .h = input[0], .c = input[1], .o = options_.filters, .rows = window_.window, .columns = {}, .groups = options_.groups};
  return conv2d_cost(problem, size_of(weight_.dtype())).flops;
}

}  // namespace melgrad
