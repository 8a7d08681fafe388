// SGD on the CPU: streaming loops that the compiler vectorises for each instruction set; bound by memory.
#include "kernels/reference/sgd.h"
#include "kernels/cpu/each_update.h"
#include "kernels/cpu/vectorize.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/sgd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

void sgd_loop(const SgdStep& step, const float* gradient, float* velocity, float* weight, int64_t n) {
  const SgdNumbers<float> numbers(step);
  if (step.momentum == 0) {
    MELGRAD_VECTORIZE
    for (int64_t i = 0; i < n; ++i) sgd_step(numbers, gradient[i], weight[i]);
    return;
  }
  with_sgd(step, [=]<OptimizerVariant variant, bool nesterov>() {
    MELGRAD_VECTORIZE
    for (int64_t i = 0; i < n; ++i) sgd_step<variant, nesterov>(numbers, gradient[i], velocity[i], weight[i]);
  });
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(sgd_loop);

constexpr int64_t grain = 1 << 14;  // elements a chunk: three arrays in L2

void update(Stream& stream, const SgdStep& step, ConstView gradient, View velocity, View weight) {
  if (weight.dtype == DType::f64) return reference::sgd_update<double>(step, gradient, velocity, weight);
  const float* g = gradient.as<float>();
  float* v = step.momentum == 0 ? nullptr : velocity.as<float>();
  float* w = weight.as<float>();
  parallel_for(stream.threads(), weight.numel(), grain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(sgd_loop)(step, g + begin, v == nullptr ? v : v + begin, w + begin, end - begin);
  });
}

void update_all(Stream& stream, std::span<const SgdUpdate> updates) {
  each_update(stream, updates, [&](const SgdUpdate& one) { update(stream, one.step, one.gradient, one.velocity, one.weight); });
}

}  // namespace

extern const SgdFunctions sgd_functions;
const SgdFunctions sgd_functions{update_all};

}  // namespace melgrad::cpu
#endif
