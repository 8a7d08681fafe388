// Dropout on the CPU.
#include "kernels/reference/dropout.h"

namespace melgrad::cpu {
namespace {

void run(Stream&, double rate, const Philox& random, ConstView x, View y) {
  if (x.dtype == DType::f64) return reference::dropout<double>(rate, random, x, y);
  reference::dropout<float>(rate, random, x, y);
}

}  // namespace

extern const DropoutFunctions dropout_functions;
const DropoutFunctions dropout_functions{run};

}  // namespace melgrad::cpu
