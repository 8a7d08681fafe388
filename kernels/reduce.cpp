#include "kernels/reduce.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const ReduceFunctions reduce_functions;
}
namespace simt {
extern const ReduceFunctions reduce_functions;
}

namespace {

const ReduceFunctions& functions(Device device) {
  return functions_for("reduce", device, &cpu::reduce_functions, &simt::reduce_functions);
}

void expect_reduced(const char* operation, const ConstView& x, const ConstView& y) {
  bool fits = x.shape.rank() == y.shape.rank();
  for (int64_t axis = 0; fits && axis < x.shape.rank(); ++axis)
    fits = y.shape[axis] == x.shape[axis] || y.shape[axis] == 1;
  if (!fits)
    fail("{}: y is {}, expected x's {} with 1 where an axis is reduced", operation, y.shape.to_string(),
         x.shape.to_string());
}

}  // namespace

void reduce(Stream& stream, Reduction reduction, ConstView x, View y) {
  expect_alike("reduce", x, y);
  expect_reduced("reduce", x, y);
  if (x.numel() == 0 && y.numel() != 0 && reduction != Reduction::sum)
    fail("reduce: {} of no elements, x is {}", name_of(reduction), x.shape.to_string());
  functions(x.device).run(stream, reduction, x, y);
}

void reduce_max_backward(Stream& stream, ConstView x, ConstView y, ConstView dy, View dx) {
  expect_alike("reduce_max_backward", x, y, dy, dx);
  expect_reduced("reduce_max_backward", x, y);
  expect_shape("reduce_max_backward", "dy", dy, y.shape);
  expect_shape("reduce_max_backward", "dx", dx, x.shape);
  functions(x.device).max_backward(stream, x, y, dy, dx);
}

}  // namespace melgrad
