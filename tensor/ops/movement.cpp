#include "tensor/ops/movement.h"

#include <algorithm>
#include <numeric>

#include "kernels/strided_copy.h"
#include "tensor/autograd.h"

namespace melgrad {
namespace {

int64_t axis_of(const char* operation, const Shape& shape, int64_t axis) {
  if (axis < -shape.rank() || axis >= shape.rank()) fail("{}: {} has no axis {}", operation, shape.to_string(), axis);
  return axis < 0 ? axis + shape.rank() : axis;
}

Shape with_size(const Shape& shape, int64_t axis, int64_t size) {
  std::vector<int64_t> sizes(shape.begin(), shape.end());
  sizes[static_cast<std::size_t>(axis)] = size;
  return Shape(sizes);
}

// The walk over `shape`'s elements begin, begin + step, … along an axis.
Walk walk_along(const Shape& shape, int64_t axis, int64_t begin, int64_t step) {
  Walk walk = contiguous_walk(shape);
  int64_t& stride = walk.strides[static_cast<std::size_t>(axis)];
  walk.offset = begin * stride;
  stride *= step;
  return walk;
}

Tensor moved(const Shape& shape, const Tensor& x, const Walk& walk) {
  Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  strided_copy(x.stream(), shape, x.view(), walk, y.mutable_view(), contiguous_walk(shape));
  return y;
}

// Zeros of `shape` with `part` at the places of `walk`.
Tensor placed(const Shape& shape, const Tensor& part, const Walk& walk) {
  Tensor y = Tensor::zeros(shape, part.dtype(), part.device());
  strided_copy(part.stream(), part.shape(), part.view(), contiguous_walk(part.shape()), y.mutable_view(), walk);
  return y;
}

// One side of a reflection: `count` elements, outwards from the edge. In x they lie at from, from + step, …
struct Mirror {
  int64_t count, from, step, to;
};

std::vector<Mirror> mirrors(int64_t size, int64_t before, int64_t after) {
  return {{before, before, -1, 0}, {after, size - 2, -1, before + size}};
}

Tensor pad_reflect(const Tensor& x, int64_t axis, int64_t before, int64_t after) {
  const Shape shape = x.shape(), padded = with_size(shape, axis, shape[axis] + before + after);
  require(before < shape[axis] && after < shape[axis], "pad: reflecting {} and {} elements needs more than {} of them",
          before, after, shape[axis]);
  Tensor y = Tensor::empty(padded, x.dtype(), x.device());
  strided_copy(x.stream(), shape, x.view(), contiguous_walk(shape), y.mutable_view(),
               walk_along(padded, axis, before, 1));
  for (const Mirror& side : mirrors(shape[axis], before, after))
    strided_copy(x.stream(), with_size(shape, axis, side.count), x.view(),
                 walk_along(shape, axis, side.from, side.step), y.mutable_view(), walk_along(padded, axis, side.to, 1));
  return record("pad", y, {x}, [=](const Tensor& dy, Gradients& gradients) {
    Tensor dx = moved(shape, dy, walk_along(padded, axis, before, 1));
    for (const Mirror& side : mirrors(shape[axis], before, after))
      strided_add(dy.stream(), with_size(shape, axis, side.count), dy.view(), walk_along(padded, axis, side.to, 1),
                  dx.mutable_view(), walk_along(shape, axis, side.from, side.step));
    gradients.set(0, dx);
  });
}

}  // namespace

Tensor transpose(const Tensor& x, const std::vector<int64_t>& order) {
  const Shape shape = x.shape();
  const Walk along = contiguous_walk(shape);
  require(static_cast<int64_t>(order.size()) == shape.rank(), "transpose: {} axes in the order of a tensor of rank {}",
          order.size(), shape.rank());
  Shape result;
  Walk walk;
  std::vector<int64_t> inverse(order.size(), -1);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const int64_t axis = axis_of("transpose", shape, order[i]);
    require(inverse[static_cast<std::size_t>(axis)] < 0, "transpose: axis {} comes twice", axis);
    inverse[static_cast<std::size_t>(axis)] = static_cast<int64_t>(i);
    result.append(shape[axis]);
    walk.strides[i] = along.strides[static_cast<std::size_t>(axis)];
  }
  return record("transpose", moved(result, x, walk), {x},
                [inverse](const Tensor& dy, Gradients& gradients) { gradients.set(0, transpose(dy, inverse)); });
}

Tensor swap_axes(const Tensor& x, int64_t a, int64_t b) {
  std::vector<int64_t> order(static_cast<std::size_t>(x.shape().rank()));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<std::size_t>(axis_of("swap_axes", x.shape(), a))],
            order[static_cast<std::size_t>(axis_of("swap_axes", x.shape(), b))]);
  return transpose(x, order);
}

Tensor slice(const Tensor& x, const Slice& slice) {
  const Shape shape = x.shape();
  const int64_t axis = axis_of("slice", shape, slice.axis), size = shape[axis];
  const int64_t begin = slice.begin < 0 ? slice.begin + size : slice.begin;
  const int64_t end = slice.end < 0 ? slice.end + size : slice.end;
  require(begin >= 0 && begin <= end && end <= size && slice.step >= 1,
          "slice: elements {} to {} in steps of {} of an axis of {}", slice.begin, slice.end, slice.step, size);
  const Shape part = with_size(shape, axis, (end - begin + slice.step - 1) / slice.step);
  const Walk walk = walk_along(shape, axis, begin, slice.step);
  return record("slice", moved(part, x, walk), {x},
                [shape, walk](const Tensor& dy, Gradients& gradients) { gradients.set(0, placed(shape, dy, walk)); });
}

Tensor concatenate(const std::vector<Tensor>& tensors, int64_t axis) {
  require(!tensors.empty(), "concatenate: nothing to join");
  const Shape first = tensors.front().shape();
  const int64_t along = axis_of("concatenate", first, axis);
  int64_t total = 0;
  for (const Tensor& tensor : tensors) {
    const bool fits =
        tensor.shape().rank() == first.rank() && with_size(tensor.shape(), along, 1) == with_size(first, along, 1);
    if (!fits) fail("concatenate: {} and {} along axis {}", first.to_string(), tensor.shape().to_string(), along);
    total += tensor.shape()[along];
  }
  const Shape whole = with_size(first, along, total);
  Tensor y = Tensor::empty(whole, tensors.front().dtype(), tensors.front().device());
  std::vector<std::pair<Shape, Walk>> parts;
  int64_t at = 0;
  for (const Tensor& tensor : tensors) {
    parts.emplace_back(tensor.shape(), walk_along(whole, along, at, 1));
    strided_copy(y.stream(), tensor.shape(), tensor.view(), contiguous_walk(tensor.shape()), y.mutable_view(),
                 parts.back().second);
    at += tensor.shape()[along];
  }
  return record("concatenate", y, tensors, [parts](const Tensor& dy, Gradients& gradients) {
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (gradients.wants(i)) gradients.set(i, moved(parts[i].first, dy, parts[i].second));
  });
}

Tensor pad(const Tensor& x, int64_t axis, int64_t before, int64_t after, PadMode mode) {
  const int64_t along = axis_of("pad", x.shape(), axis);
  require(before >= 0 && after >= 0, "pad: {} elements before and {} after", before, after);
  if (mode == PadMode::reflect) return pad_reflect(x, along, before, after);
  const Shape shape = x.shape(), padded = with_size(shape, along, shape[along] + before + after);
  const Walk walk = walk_along(padded, along, before, 1);
  return record("pad", placed(padded, x, walk), {x},
                [shape, walk](const Tensor& dy, Gradients& gradients) { gradients.set(0, moved(shape, dy, walk)); });
}

}  // namespace melgrad
