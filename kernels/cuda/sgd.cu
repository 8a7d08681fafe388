// SGD; see kernels/cuda/update.h for the algorithm and launch.
//
// Bottleneck: global memory, 12 bytes an element, 20 with momentum.
#include "kernels/cuda/update.h"
#include "kernels/sgd_formulas.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

struct Plain {
  SgdNumbers<float> numbers;
  __device__ void operator()(float gradient, float (&weight)[1]) const { sgd_step(numbers, gradient, weight[0]); }
};
template <OptimizerVariant variant, bool nesterov>
struct Momentum {
  SgdNumbers<float> numbers;
  __device__ void operator()(float gradient, float (&state)[2]) const {
    sgd_step<variant, nesterov>(numbers, gradient, state[0], state[1]);
  }
};

void run(Stream& stream, const SgdStep& step, ConstView gradient, View velocity, View weight) {
  const SgdNumbers<float> numbers(step);
  if (step.momentum == 0) return update(stream, Plain{numbers}, gradient, weight);
  with_sgd(step, [&]<OptimizerVariant variant, bool nesterov>() {
    update(stream, Momentum<variant, nesterov>{numbers}, gradient, velocity, weight);
  });
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(SgdFunctions, sgd, run)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
