#include "layers/pooling.h"

namespace melgrad {
namespace {

Window pool_window(std::string_view layer, const char* axis, int64_t size, int64_t stride, const AxisPadding& padding,
                   int64_t length) {
  return make_window(std::string(layer).c_str(), axis, {.size = size, .stride = stride == 0 ? size : stride}, padding,
                     length);
}

}  // namespace

Shape Pool2D::build(const Shape& input, BuildContext&) {
  if (input.rank() != 3) fail("{}: the input is {}, expected (height, width, channels)", type(), input.to_string());
  const auto& [pool, stride, padding] = window_options_;
  rows_ = pool_window(type(), "height", pool.rows, stride.rows, padding.rows, input[0]);
  columns_ = pool_window(type(), "width", pool.columns, stride.columns, padding.columns, input[1]);
  return {rows_.output(input[0]), columns_.output(input[1]), input[2]};
}

int64_t Pool2D::flops(const Shape& input) const {
  return rows_.output(input[0]) * columns_.output(input[1]) * input[2] * rows_.size * columns_.size;
}

Shape Pool1D::build(const Shape& input, BuildContext&) {
  if (input.rank() != 2) fail("{}: the input is {}, expected (length, channels)", type(), input.to_string());
  const auto& [pool, stride, padding] = window_options_;
  window_ = pool_window(type(), "length", pool, stride, padding, input[0]);
  return {window_.output(input[0]), input[1]};
}

int64_t Pool1D::flops(const Shape& input) const {
  return window_.output(input[0]) * input[1] * window_.size;
}

Shape GlobalPool::build(const Shape& input, BuildContext&) {
  if (input.rank() < 2) fail("{}: the input is {}, expected positions before channels", type(), input.to_string());
  axes_.clear();
  output_ = {};
  for (int64_t axis = 0; axis < input.rank(); ++axis) {
    const bool pooled = options_.over == GlobalAxes::time ? axis == 0 : axis + 1 < input.rank();
    if (pooled) {
      axes_.push_back(axis + 1);  // behind the batch
      require(input[axis] > 0, "{}: nothing to pool over", type());
    } else {
      output_.append(input[axis]);
    }
  }
  return output_;
}

}  // namespace melgrad
