// Adadelta; see kernels/cuda/update.h for the algorithm and launch.
//
// Bottleneck: global memory, 28 bytes an element; beside them two square roots and a division.
#include "kernels/adadelta_formulas.h"
#include "kernels/cuda/update.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

struct Step {
  static constexpr int count = 3;
  AdadeltaNumbers<float> numbers;
  __device__ void operator()(float gradient, float (&state)[3]) const {
    adadelta_step(numbers, gradient, state[0], state[1], state[2]);
  }
};

void run(Stream& stream, std::span<const AdadeltaUpdate> updates) {
  UpdateBatch<Step> batch;
  for (const AdadeltaUpdate& u : updates)
    batch.add({AdadeltaNumbers<float>(u.step)}, u.keep, u.gradient, u.square, u.update, u.weight);
  batch.run(stream);
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(AdadeltaFunctions, adadelta, run)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
