#include "layers/reshape.h"

#include <algorithm>

namespace melgrad {

Shape Flatten::build(const Shape& input, BuildContext&) {
  require(options_.keep >= 0 && options_.keep <= input.rank(), "flatten: keep is {} and the input {}; expected 0 to {}",
          options_.keep, input.to_string(), input.rank());
  output_ = {};
  int64_t rest = 1;
  for (int64_t axis = 0; axis < input.rank(); ++axis)
    axis < options_.keep ? output_.append(input[axis]) : void(rest *= input[axis]);
  output_.append(rest);
  return output_;
}

Shape Reshape::build(const Shape& input, BuildContext&) {
  const auto free = std::count(options_.shape.values.begin(), options_.shape.values.end(), -1);
  int64_t rest = 1;
  for (int64_t size : options_.shape.values) rest *= size == -1 ? 1 : size;
  const bool fits = free == 0 ? rest == input.numel() : free == 1 && rest > 0 && input.numel() % rest == 0;
  if (!fits || rest < 0)
    fail("reshape: the input is {}, which cannot take the shape {}", input.to_string(), option_to_text(options_.shape));
  output_ = {};
  for (int64_t size : options_.shape.values) output_.append(size == -1 ? input.numel() / rest : size);
  return output_;
}

Shape Permute::build(const Shape& input, BuildContext&) {
  std::vector<int64_t> sorted = options_.order.values;
  std::sort(sorted.begin(), sorted.end());
  bool each_once = static_cast<int64_t>(sorted.size()) == input.rank();
  for (std::size_t i = 0; each_once && i < sorted.size(); ++i) each_once = sorted[i] == static_cast<int64_t>(i) + 1;
  if (!each_once)
    fail("permute: order is {} and the input {}; expected every axis once, from 1", option_to_text(options_.order),
         input.to_string());
  order_ = {0};
  Shape output;
  for (int64_t axis : options_.order.values) {
    order_.push_back(axis);
    output.append(input[axis - 1]);
  }
  return output;
}

namespace {

void name_every_axis(std::string_view layer, EndsOptions& options, const Shape& input) {
  for (Integers* ends : {&options.before, &options.after}) {
    std::vector<int64_t>& amounts = ends->values;
    require(static_cast<int64_t>(amounts.size()) <= input.rank(), "{}: amounts for {} axes, and the input has {}",
            layer, amounts.size(), input.rank());
    amounts.resize(static_cast<std::size_t>(input.rank()));
    for (int64_t amount : amounts) require(amount >= 0, "{}: {} elements, expected 0 or more", layer, amount);
  }
}

}  // namespace

Shape ReflectPadding::build(const Shape& input, BuildContext&) {
  name_every_axis(type(), options_, input);
  Shape output;
  for (int64_t axis = 0; axis < input.rank(); ++axis) {
    const auto i = static_cast<std::size_t>(axis);
    const int64_t before = options_.before.values[i], after = options_.after.values[i];
    require(before < input[axis] && after < input[axis],
            "reflect_padding: reflecting {} and {} elements needs more than {} of them", before, after, input[axis]);
    output.append(before + input[axis] + after);
  }
  return output;
}

Tensor ReflectPadding::pre_activation(const Tensor& x, const Pass&) {
  Tensor y = x;
  for (std::size_t i = 0; i < options_.before.values.size(); ++i) {
    const int64_t before = options_.before.values[i], after = options_.after.values[i];
    if (before != 0 || after != 0) y = pad(y, static_cast<int64_t>(i) + 1, before, after, PadMode::reflect);
  }
  return y;
}

Shape Crop::build(const Shape& input, BuildContext&) {
  name_every_axis(type(), options_, input);
  Shape output;
  for (int64_t axis = 0; axis < input.rank(); ++axis) {
    const auto i = static_cast<std::size_t>(axis);
    const int64_t rest = input[axis] - options_.before.values[i] - options_.after.values[i];
    require(rest >= 1, "crop: {} and {} elements of {} leave nothing", options_.before.values[i],
            options_.after.values[i], input[axis]);
    output.append(rest);
  }
  return output;
}

Tensor Crop::pre_activation(const Tensor& x, const Pass&) {
  Tensor y = x;
  for (std::size_t i = 0; i < options_.before.values.size(); ++i) {
    const int64_t axis = static_cast<int64_t>(i) + 1, size = y.shape()[axis];
    const int64_t before = options_.before.values[i], after = options_.after.values[i];
    if (before != 0 || after != 0) y = slice(y, {.axis = axis, .begin = before, .end = size - after});
  }
  return y;
}

}  // namespace melgrad
