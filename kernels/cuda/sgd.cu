// SGD; see kernels/cuda/update.h for the algorithm and launch.
//
// Bottleneck: global memory, 12 bytes an element, 20 with momentum.
#include "kernels/cuda/update.h"
#include "kernels/sgd_formulas.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

struct Plain {
  static constexpr int count = 1;
  SgdNumbers<float> numbers;
  __device__ void operator()(float gradient, float (&weight)[1]) const { sgd_step(numbers, gradient, weight[0]); }
};
template <OptimizerVariant variant, bool nesterov>
struct Momentum {
  static constexpr int count = 2;
  SgdNumbers<float> numbers;
  __device__ void operator()(float gradient, float (&state)[2]) const {
    sgd_step<variant, nesterov>(numbers, gradient, state[0], state[1]);
  }
};

void run(Stream& stream, std::span<const SgdUpdate> updates) {
  const SgdStep& form = updates.front().step;  // all have momentum, or none, and one variant
  if (form.momentum == 0) {
    UpdateBatch<Plain> batch;
    for (const SgdUpdate& u : updates) batch.add({SgdNumbers<float>(u.step)}, u.keep, u.gradient, u.weight);
    return batch.run(stream);
  }
  with_sgd(form, [&]<OptimizerVariant variant, bool nesterov>() {
    UpdateBatch<Momentum<variant, nesterov>> batch;
    for (const SgdUpdate& u : updates) batch.add({SgdNumbers<float>(u.step)}, u.keep, u.gradient, u.velocity, u.weight);
    batch.run(stream);
  });
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(SgdFunctions, sgd, run)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
