#include "layers/conv2d.h"

#include "tensor/ops/bias.h"

namespace melgrad {

Shape Conv2D::build(const Shape& input, BuildContext& context) {
  require(options_.filters >= 1, "conv2d: {} filters, expected at least 1", options_.filters);
  if (input.rank() != 3) fail("conv2d: the input is {}, expected (height, width, channels)", input.to_string());
  const auto window = [&](int64_t size, int64_t stride, int64_t dilation, int64_t length, const char* axis) {
    const Window padded_window =
        padded({.size = size, .stride = stride, .dilation = dilation}, options_.padding, length);
    expect_window("conv2d", axis, padded_window, length);
    return padded_window;
  };
  windows_.algorithm = options_.algorithm;
  windows_.rows = window(options_.kernel.rows, options_.stride.rows, options_.dilation.rows, input[0], "height");
  windows_.columns =
      window(options_.kernel.columns, options_.stride.columns, options_.dilation.columns, input[1], "width");

  const int64_t taps = options_.kernel.rows * options_.kernel.columns;
  weight_ = initialize(
      options_.initializer, {options_.kernel.rows, options_.kernel.columns, input[2], options_.filters},
      {.in = taps * input[2], .out = taps * options_.filters}, context.next_generator(), context.dtype, context.device);
  if (options_.bias) bias_ = constant_parameter(0, {options_.filters}, true, context.dtype, context.device);
  return {windows_.rows.output(input[0]), windows_.columns.output(input[1]), options_.filters};
}

Tensor Conv2D::pre_activation(const Tensor& x, const Pass&) {
  const Tensor y = conv2d(x, weight_, windows_);
  return bias_.defined() ? add_bias(y, bias_) : y;
}

std::vector<NamedTensor> Conv2D::state() const {
  std::vector<NamedTensor> state{{"weight", weight_}};
  if (bias_.defined()) state.push_back({"bias", bias_});
  return state;
}

int64_t Conv2D::flops(const Shape& input) const {
  const Conv2dProblem problem{.h = input[0],
                              .w = input[1],
                              .c = input[2],
                              .o = options_.filters,
                              .rows = windows_.rows,
                              .columns = windows_.columns};
  return conv2d_cost(problem, size_of(weight_.dtype())).flops;
}

}  // namespace melgrad
