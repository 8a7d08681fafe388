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

template <bool centred, bool momentum>
void run_batch(Stream& stream, std::span<const RmspropUpdate> updates) {
  UpdateBatch<Step<centred, momentum>> batch;
  for (const RmspropUpdate& u : updates) {
    const Step<centred, momentum> step{RmspropNumbers<float>(u.step)};
    if constexpr (centred && momentum)
      batch.add(step, u.keep, u.gradient, u.square, u.mean, u.velocity, u.weight);
    else if constexpr (centred)
      batch.add(step, u.keep, u.gradient, u.square, u.mean, u.weight);
    else if constexpr (momentum)
      batch.add(step, u.keep, u.gradient, u.square, u.velocity, u.weight);
    else
      batch.add(step, u.keep, u.gradient, u.square, u.weight);
  }
  batch.run(stream);
}

void run(Stream& stream, std::span<const RmspropUpdate> updates) {
  const RmspropStep& form = updates.front().step;  // all have momentum, or none, and all are centred, or none
  const bool momentum = form.momentum != 0;
  if (form.centred) return momentum ? run_batch<true, true>(stream, updates) : run_batch<true, false>(stream, updates);
  momentum ? run_batch<false, true>(stream, updates) : run_batch<false, false>(stream, updates);
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(RmspropFunctions, rmsprop, run)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
