// RMSprop on the CPU: a streaming loop that the compiler vectorises for each instruction set; bound by the division and
// the square root in a cache, by memory outside.
#include "kernels/reference/rmsprop.h"
#include "kernels/cpu/each_update.h"
#include "kernels/cpu/vectorize.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/rmsprop.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// Which arrays there are is decided outside the loop, so that each of the four loops vectorises.
template <bool with_mean, bool with_velocity>
void rmsprop_arrays(const RmspropNumbers<float>& step, const float* gradient, float* square, float* mean,
                    float* velocity, float* weight, int64_t n) {
  const RmspropNumbers<float> numbers = step;
  MELGRAD_VECTORIZE
  for (int64_t i = 0; i < n; ++i) {
    float m = with_mean ? mean[i] : 0.0f, v = with_velocity ? velocity[i] : 0.0f;
    rmsprop_step(numbers, gradient[i], square[i], m, v, weight[i]);
    if (with_mean) mean[i] = m;
    if (with_velocity) velocity[i] = v;
  }
}

void rmsprop_loop(const RmspropNumbers<float>& step, const float* gradient, float* square, float* mean, float* velocity,
                  float* weight, int64_t n) {
  const auto loop = mean != nullptr
                        ? (velocity != nullptr ? rmsprop_arrays<true, true> : rmsprop_arrays<true, false>)
                        : (velocity != nullptr ? rmsprop_arrays<false, true> : rmsprop_arrays<false, false>);
  loop(step, gradient, square, mean, velocity, weight, n);
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(rmsprop_loop);

constexpr int64_t grain = 1 << 13;  // elements a chunk: up to five arrays in L2

void update(Stream& stream, const RmspropStep& step, ConstView gradient, View square, View mean, View velocity,
            View weight) {
  if (weight.dtype == DType::f64)
    return reference::rmsprop_update<double>(step, gradient, square, mean, velocity, weight);
  const RmspropNumbers<float> numbers(step);
  float* m = step.centred ? mean.as<float>() : nullptr;
  float* v = step.momentum != 0 ? velocity.as<float>() : nullptr;
  parallel_for(stream.threads(), weight.numel(), grain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(rmsprop_loop)
    (numbers, gradient.as<float>() + begin, square.as<float>() + begin, m == nullptr ? m : m + begin,
     v == nullptr ? v : v + begin, weight.as<float>() + begin, end - begin);
  });
}

void update_all(Stream& stream, std::span<const RmspropUpdate> updates) {
  each_update(stream, updates, [&](const RmspropUpdate& one) { update(stream, one.step, one.gradient, one.square, one.mean, one.velocity, one.weight); });
}

}  // namespace

extern const RmspropFunctions rmsprop_functions;
const RmspropFunctions rmsprop_functions{update_all};

}  // namespace melgrad::cpu
#endif
