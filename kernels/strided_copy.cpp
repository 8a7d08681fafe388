#include "kernels/strided_copy.h"

#include <algorithm>

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const StridedCopyFunctions strided_copy_functions;
}
namespace simt {
extern const StridedCopyFunctions strided_copy_functions;
}

namespace {

const StridedCopyFunctions& functions(Device device) {
  return functions_for("strided_copy", device, &cpu::strided_copy_functions, &simt::strided_copy_functions);
}

// The walk's extreme elements must lie in the view.
void expect_walk(const char* operation, const char* name, const Shape& shape, const ConstView& view, const Walk& walk) {
  int64_t low = walk.offset, high = walk.offset;
  for (int64_t axis = 0; axis < shape.rank(); ++axis) {
    const int64_t far = walk.strides[static_cast<std::size_t>(axis)] * (shape[axis] - 1);
    (far < 0 ? low : high) += far;
  }
  require(shape.numel() == 0 || (low >= 0 && high < view.numel()),
          "{}: the walk over {} reaches elements {} to {} of {}", operation, name, low, high, view.numel());
}

void check(const char* operation, const Shape& shape, const ConstView& x, const Walk& x_walk, const ConstView& y,
           const Walk& y_walk) {
  require(x.dtype == y.dtype && x.device == y.device, "{}: mixes {} on {} and {} on {}", operation, name_of(x.dtype),
          name_of(x.device), name_of(y.dtype), name_of(y.device));
  expect_walk(operation, "x", shape, x, x_walk);
  expect_walk(operation, "y", shape, y, y_walk);
}

}  // namespace

Walk contiguous_walk(const Shape& shape) {
  Walk walk;
  int64_t stride = 1;
  for (int64_t axis = shape.rank(); axis-- > 0; stride *= shape[axis])
    walk.strides[static_cast<std::size_t>(axis)] = stride;
  return walk;
}

void strided_copy(Stream& stream, const Shape& shape, ConstView x, const Walk& x_walk, View y, const Walk& y_walk) {
  check("strided_copy", shape, x, x_walk, y, y_walk);
  functions(x.device).copy(stream, shape, x, x_walk, y, y_walk);
}

void strided_add(Stream& stream, const Shape& shape, ConstView x, const Walk& x_walk, View y, const Walk& y_walk) {
  check("strided_add", shape, x, x_walk, y, y_walk);
  expect_alike("strided_add", x, y);
  functions(x.device).add(stream, shape, x, x_walk, y, y_walk);
}

}  // namespace melgrad
