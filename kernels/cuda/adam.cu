// Adam; see kernels/cuda/update.h for the algorithm and launch.
//
// Bottleneck: global memory, 28 bytes an element, 36 with AMSGrad; beside them a square root and a division.
#include "kernels/adam_formulas.h"
#include "kernels/cuda/update.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

struct Plain {
  AdamNumbers<float> numbers;
  __device__ void operator()(float gradient, float (&state)[3]) const {
    adam_step(numbers, gradient, state[0], state[1], state[2]);
  }
};
struct Amsgrad {
  AdamNumbers<float> numbers;
  __device__ void operator()(float gradient, float (&state)[4]) const {
    adam_step(numbers, gradient, state[0], state[1], state[2], state[3]);
  }
};

void run(Stream& stream, const AdamStep& step, ConstView gradient, View first, View second, View largest, View weight) {
  const AdamNumbers<float> numbers(step);
  if (step.amsgrad) return update(stream, Amsgrad{numbers}, gradient, first, second, largest, weight);
  update(stream, Plain{numbers}, gradient, first, second, weight);
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(AdamFunctions, adam, run)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
