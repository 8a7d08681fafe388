// Adam; see kernels/cuda/update.h for the algorithm and launch.
//
// Bottleneck: global memory, 28 bytes an element, 36 with AMSGrad; beside them a square root and a division.
#include "kernels/adam_formulas.h"
#include "kernels/cuda/update.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

struct Plain {
  static constexpr int count = 3;
  AdamNumbers<float> numbers;
  __device__ void operator()(float gradient, float (&state)[3]) const {
    adam_step(numbers, gradient, state[0], state[1], state[2]);
  }
};
struct Amsgrad {
  static constexpr int count = 4;
  AdamNumbers<float> numbers;
  __device__ void operator()(float gradient, float (&state)[4]) const {
    adam_step(numbers, gradient, state[0], state[1], state[2], state[3]);
  }
};

void run(Stream& stream, std::span<const AdamUpdate> updates) {
  UpdateBatch<Plain> plain;
  UpdateBatch<Amsgrad> amsgrad;
  for (const AdamUpdate& u : updates) {
    const AdamNumbers<float> numbers(u.step);
    if (u.step.amsgrad)
      amsgrad.add({numbers}, u.keep, u.gradient, u.first_moment, u.second_moment, u.largest_second_moment, u.weight);
    else
      plain.add({numbers}, u.keep, u.gradient, u.first_moment, u.second_moment, u.weight);
  }
  plain.run(stream);
  amsgrad.run(stream);
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(AdamFunctions, adam, run)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
