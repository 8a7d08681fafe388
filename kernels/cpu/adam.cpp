// Adam on the CPU: a streaming loop that the compiler vectorises for each instruction set; bound by memory where the
// parameters do not fit a cache, by the division and the square root where they do.
#include "kernels/reference/adam.h"
#include "kernels/cpu/each_update.h"
#include "kernels/cpu/vectorize.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/adam.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

void adam_loop(const AdamNumbers<float>& step, const float* gradient, float* first, float* second, float* weight,
               int64_t n) {
  const AdamNumbers<float> numbers = step;  // in registers: the compiler then knows that no output is it
  MELGRAD_VECTORIZE
  for (int64_t i = 0; i < n; ++i) adam_step(numbers, gradient[i], first[i], second[i], weight[i]);
}

void amsgrad_loop(const AdamNumbers<float>& step, const float* gradient, float* first, float* second, float* largest,
                  float* weight, int64_t n) {
  const AdamNumbers<float> numbers = step;
  MELGRAD_VECTORIZE
  for (int64_t i = 0; i < n; ++i) adam_step(numbers, gradient[i], first[i], second[i], largest[i], weight[i]);
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(adam_loop);
HWY_EXPORT(amsgrad_loop);

constexpr int64_t grain = 1 << 13;  // elements a chunk: four arrays in L2

void update(Stream& stream, const AdamStep& step, ConstView gradient, View first_moment, View second_moment,
            View largest_second_moment, View weight) {
  if (weight.dtype == DType::f64) {
    return reference::adam_update<double>(step, gradient, first_moment, second_moment, largest_second_moment, weight);
  }
  const AdamNumbers<float> numbers(step);
  const float* g = gradient.as<float>();
  float *first = first_moment.as<float>(), *second = second_moment.as<float>(), *w = weight.as<float>();
  float* largest = step.amsgrad ? largest_second_moment.as<float>() : nullptr;
  parallel_for(stream.threads(), weight.numel(), grain, [&](int64_t begin, int64_t end) {
    if (step.amsgrad) {
      HWY_DYNAMIC_DISPATCH(amsgrad_loop)
      (numbers, g + begin, first + begin, second + begin, largest + begin, w + begin, end - begin);
    } else {
      HWY_DYNAMIC_DISPATCH(adam_loop)(numbers, g + begin, first + begin, second + begin, w + begin, end - begin);
    }
  });
}

void update_all(Stream& stream, std::span<const AdamUpdate> updates) {
  each_update(stream, updates, [&](const AdamUpdate& one) { update(stream, one.step, one.gradient, one.first_moment, one.second_moment, one.largest_second_moment, one.weight); });
}

}  // namespace

extern const AdamFunctions adam_functions;
const AdamFunctions adam_functions{update_all};

}  // namespace melgrad::cpu
#endif
