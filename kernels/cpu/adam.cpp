// Adam on the CPU.
#include "kernels/reference/adam.h"

namespace melgrad::cpu {
namespace {

void update(Stream&, const AdamStep& step, ConstView gradient, View first_moment, View second_moment, View weight) {
  if (weight.dtype == DType::f64)
    return reference::adam_update<double>(step, gradient, first_moment, second_moment, weight);
  reference::adam_update<float>(step, gradient, first_moment, second_moment, weight);
}

}  // namespace

extern const AdamFunctions adam_functions;
const AdamFunctions adam_functions{update};

}  // namespace melgrad::cpu
