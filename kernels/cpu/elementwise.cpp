// Elementwise arithmetic on the CPU.
#include "kernels/reference/elementwise.h"

namespace melgrad::cpu {
namespace {

void binary(Stream&, Binary operation, ConstView a, ConstView b, View y) {
  if (a.dtype == DType::f64) return reference::elementwise_binary<double>(operation, a, b, y);
  reference::elementwise_binary<float>(operation, a, b, y);
}

void scale(Stream&, double factor, ConstView x, View y) {
  if (x.dtype == DType::f64) return reference::elementwise_scale<double>(factor, x, y);
  reference::elementwise_scale<float>(factor, x, y);
}

}  // namespace

extern const ElementwiseFunctions elementwise_functions;
const ElementwiseFunctions elementwise_functions{binary, scale};

}  // namespace melgrad::cpu
