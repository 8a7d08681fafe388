#include "layers/max_pool2d.h"

namespace melgrad {

Shape MaxPool2D::build(const Shape& input, BuildContext&) {
  if (input.rank() != 3) fail("max_pool2d: the input is {}, expected (height, width, channels)", input.to_string());
  const auto window = [&](int64_t size, int64_t stride, int64_t length, const char* axis) {
    const Window pool = padded({.size = size, .stride = stride == 0 ? size : stride}, options_.padding, length);
    expect_window("max_pool2d", axis, pool, length);
    return pool;
  };
  rows_ = window(options_.pool.rows, options_.stride.rows, input[0], "height");
  columns_ = window(options_.pool.columns, options_.stride.columns, input[1], "width");
  return {rows_.output(input[0]), columns_.output(input[1]), input[2]};
}

int64_t MaxPool2D::flops(const Shape& input) const {
  return rows_.output(input[0]) * columns_.output(input[1]) * input[2] * rows_.size * columns_.size;
}

}  // namespace melgrad
