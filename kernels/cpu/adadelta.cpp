// Adadelta on the CPU: a streaming loop that the compiler vectorises for each instruction set; bound by the division and
// the square roots in a cache, by memory outside.
#include "kernels/reference/adadelta.h"
#include "kernels/cpu/each_update.h"
#include "kernels/cpu/vectorize.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/adadelta.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

void adadelta_loop(const AdadeltaNumbers<float>& step, const float* gradient, float* square, float* update,
                   float* weight, int64_t n) {
  const AdadeltaNumbers<float> numbers = step;  // in registers: the compiler then knows that no output is it
  MELGRAD_VECTORIZE
  for (int64_t i = 0; i < n; ++i) adadelta_step(numbers, gradient[i], square[i], update[i], weight[i]);
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(adadelta_loop);

constexpr int64_t grain = 1 << 13;  // elements a chunk: four arrays in L2

void update(Stream& stream, const AdadeltaStep& step, ConstView gradient, View square, View moves, View weight) {
  if (weight.dtype == DType::f64) return reference::adadelta_update<double>(step, gradient, square, moves, weight);
  const AdadeltaNumbers<float> numbers(step);
  parallel_for(stream.threads(), weight.numel(), grain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(adadelta_loop)
    (numbers, gradient.as<float>() + begin, square.as<float>() + begin, moves.as<float>() + begin,
     weight.as<float>() + begin, end - begin);
  });
}

void update_all(Stream& stream, std::span<const AdadeltaUpdate> updates) {
  each_update(stream, updates, [&](const AdadeltaUpdate& one) { update(stream, one.step, one.gradient, one.square, one.update, one.weight); });
}

}  // namespace

extern const AdadeltaFunctions adadelta_functions;
const AdadeltaFunctions adadelta_functions{update_all};

}  // namespace melgrad::cpu
#endif
