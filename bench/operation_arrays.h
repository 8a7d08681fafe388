// Arrays on a device for one case of an operation, as the benches of the CPU and the counts of simt run it.
#pragma once

#include <vector>

#include "kernels/arena.h"
#include "tests/kernels/operation_case.h"

namespace melgrad::bench {

struct Arrays {
  Device device = Device::cpu;
  std::vector<Buffer> buffers = {};
  std::vector<View> views = {};

  void add(const Shape& shape, DType dtype);
  std::vector<ConstView> inputs() const { return {views.begin(), views.end()}; }
};

Arrays copied_to(Device device, const Arrays& arrays);

// The case's random inputs: f32 or f64 as `dtype` says, indices as i32. The same numbers on every device.
Arrays make_inputs(const test::OperationCase& operation, DType dtype, Device device);
// Zeros, as an optimizer's state starts; f32 outputs are of `dtype`.
Arrays make_outputs(const test::OperationCase& operation, DType dtype, Device device);

}  // namespace melgrad::bench
