// Reductions on the CPU.
#include "kernels/reference/reduce.h"

namespace melgrad::cpu {
namespace {

void run(Stream&, Reduction reduction, ConstView x, View y) {
  if (x.dtype == DType::f64) return reference::reduce<double>(reduction, x, y);
  reference::reduce<float>(reduction, x, y);
}

}  // namespace

extern const ReduceFunctions reduce_functions;
const ReduceFunctions reduce_functions{run};

}  // namespace melgrad::cpu
