// RMSprop; see kernels/cuda/update.h for the algorithm and launch.
//
// Bottleneck: global memory, 20 bytes an element, 8 more for each of momentum and centring; beside them a square root
// and a division.
#include "kernels/cuda/update.h"
#include "kernels/rmsprop_formulas.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

// The states: square, then mean and velocity where there are, then the weight.
template <bool centred, bool momentum>
struct Step {
  static constexpr int count = 2 + centred + momentum;
  RmspropNumbers<float> numbers;

  __device__ void operator()(float gradient, float (&state)[count]) const {
    float no_mean = 0.0f, no_velocity = 0.0f;
    rmsprop_step(numbers, gradient, state[0], centred ? state[1] : no_mean, momentum ? state[1 + centred] : no_velocity,
                 state[count - 1]);
  }
};

void run(Stream& stream, const RmspropStep& step, ConstView gradient, View square, View mean, View velocity,
         View weight) {
  const RmspropNumbers<float> numbers(step);
  const bool momentum = step.momentum != 0;
  if (step.centred && momentum)
    return update(stream, Step<true, true>{numbers}, gradient, square, mean, velocity, weight);
  if (step.centred) return update(stream, Step<true, false>{numbers}, gradient, square, mean, weight);
  if (momentum) return update(stream, Step<false, true>{numbers}, gradient, square, velocity, weight);
  update(stream, Step<false, false>{numbers}, gradient, square, weight);
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(RmspropFunctions, rmsprop, run)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
