#include "kernels/elementwise.h"

#include <algorithm>

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const ElementwiseFunctions elementwise_functions;
}
namespace simt {
extern const ElementwiseFunctions elementwise_functions;
}

namespace {

const ElementwiseFunctions& functions(Device device) {
  return functions_for("elementwise", device, &cpu::elementwise_functions, &simt::elementwise_functions);
}

}  // namespace

Shape broadcast_shape(const char* operation, const Shape& a, const Shape& b) {
  const int64_t rank = std::max(a.rank(), b.rank());
  Shape shape;
  for (int64_t axis = -rank; axis < 0; ++axis) {
    const int64_t size_a = -axis <= a.rank() ? a[axis] : 1;
    const int64_t size_b = -axis <= b.rank() ? b[axis] : 1;
    if (size_a != size_b && size_a != 1 && size_b != 1)
      fail("{}: {} and {} do not broadcast", operation, a.to_string(), b.to_string());
    shape.append(size_a == 1 ? size_b : size_a);
  }
  return shape;
}

void elementwise_binary(Stream& stream, Binary operation, ConstView a, ConstView b, View y) {
  expect_alike("elementwise_binary", a, b, y);
  expect_shape("elementwise_binary", "y", y, broadcast_shape("elementwise_binary", a.shape, b.shape));
  functions(a.device).binary(stream, operation, a, b, y);
}

void elementwise_scale(Stream& stream, double factor, ConstView x, View y) {
  expect_alike("elementwise_scale", x, y);
  if (broadcast_shape("elementwise_scale", x.shape, y.shape) != y.shape)
    fail("elementwise_scale: x is {}, which does not broadcast to y's {}", x.shape.to_string(), y.shape.to_string());
  functions(x.device).scale(stream, factor, x, y);
}

}  // namespace melgrad
