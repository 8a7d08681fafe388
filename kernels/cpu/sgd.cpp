// SGD on the CPU.
#include "kernels/reference/sgd.h"

namespace melgrad::cpu {
namespace {

void update(Stream&, const SgdStep& step, ConstView gradient, View velocity, View weight) {
  if (weight.dtype == DType::f64) return reference::sgd_update<double>(step, gradient, velocity, weight);
  reference::sgd_update<float>(step, gradient, velocity, weight);
}

}  // namespace

extern const SgdFunctions sgd_functions;
const SgdFunctions sgd_functions{update};

}  // namespace melgrad::cpu
