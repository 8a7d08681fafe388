#include "layers/zero_padding.h"

#include "tensor/ops/movement.h"

namespace melgrad {
namespace {

// The length of an axis with its padding.
int64_t padded_length(std::string_view layer, const AxisPadding& padding, int64_t length) {
  require(padding.given && padding.before >= 0 && padding.after >= 0, "{}: padding is {}, expected amounts, 0 or more",
          layer, option_to_text(padding));
  return padding.before + length + padding.after;
}

Tensor pad_axis(const Tensor& x, int64_t axis, const AxisPadding& padding) {
  if (padding.before == 0 && padding.after == 0) return x;
  return pad(x, axis, padding.before, padding.after);
}

}  // namespace

Shape ZeroPadding1D::build(const Shape& input, BuildContext&) {
  if (input.rank() != 2) fail("{}: the input is {}, expected (length, channels)", type(), input.to_string());
  return {padded_length(type(), options_.padding, input[0]), input[1]};
}

Tensor ZeroPadding1D::pre_activation(const Tensor& x, const Pass&) {
  return pad_axis(x, 1, options_.padding);
}

Shape ZeroPadding2D::build(const Shape& input, BuildContext&) {
  if (input.rank() != 3) fail("{}: the input is {}, expected (height, width, channels)", type(), input.to_string());
  return {padded_length(type(), options_.padding.rows, input[0]),
          padded_length(type(), options_.padding.columns, input[1]), input[2]};
}

Tensor ZeroPadding2D::pre_activation(const Tensor& x, const Pass&) {
  return pad_axis(pad_axis(x, 1, options_.padding.rows), 2, options_.padding.columns);
}

}  // namespace melgrad
