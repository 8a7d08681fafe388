#include "layers/conv2d.h"

#include <tuple>

namespace melgrad {

void expect_groups(const char* layer, int64_t channels, int64_t filters, int64_t groups) {
  require(groups >= 1 && channels % groups == 0 && filters % groups == 0,
          "{}: {} groups, expected a number that divides {} channels and {} filters", layer, groups, channels, filters);
}

Shape Conv2D::build(const Shape& input, BuildContext& context) {
  require(options_.filters >= 1, "conv2d: {} filters, expected at least 1", options_.filters);
  if (input.rank() != 3) fail("conv2d: the input is {}, expected (height, width, channels)", input.to_string());
  expect_groups("conv2d", input[2], options_.filters, options_.groups);
  const auto window = [&](int64_t size, int64_t stride, int64_t dilation) {
    return Window{.size = size, .stride = stride, .dilation = dilation};
  };
  const auto& [kernel, stride, dilation, padding] =
      std::tie(options_.kernel, options_.stride, options_.dilation, options_.padding);
  windows_ = {
      .rows = make_window("conv2d", "height", window(kernel.rows, stride.rows, dilation.rows), padding.rows, input[0]),
      .columns = make_window("conv2d", "width", window(kernel.columns, stride.columns, dilation.columns),
                             padding.columns, input[1]),
      .groups = options_.groups,
      .algorithm = options_.algorithm};
  make_weight(options_.initializer, {kernel.rows, kernel.columns, input[2] / options_.groups, options_.filters},
              options_.bias, context);
  return {windows_.rows.output(input[0]), windows_.columns.output(input[1]), options_.filters};
}

Tensor Conv2D::convolve(const Tensor& x) const {
  return conv2d(x, weight_, windows_);
}

int64_t Conv2D::flops(const Shape& input) const {
  const Conv2dProblem problem{.h = input[0],
                              .w = input[1],
                              .c = input[2],
                              .o = options_.filters,
                              .rows = windows_.rows,
                              .columns = windows_.columns,
                              .groups = options_.groups};
  return conv2d_cost(problem, size_of(weight_.dtype())).flops;
}

}  // namespace melgrad
