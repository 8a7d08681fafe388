// Dropout on the CPU: Philox in vector registers, four random words a block; bound by the generator's multiplications.
#include "kernels/reference/dropout.h"

#include <algorithm>

#include "kernels/cpu/vectorize.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/dropout.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// Elements 4·block … of x and y, n of them.
void dropout_loop(const Philox& random, uint32_t threshold, float scale, uint32_t block, const float* x, float* y,
                  int64_t n) {
  constexpr int64_t batch = 64, batch_words = 4 * batch;
  uint32_t words[batch_words];
  for (int64_t start = 0; start < n; start += batch_words, block += batch) {
    MELGRAD_VECTORIZE
    for (uint32_t i = 0; i < batch; ++i) {
      const Philox4 of_block = random.block(block + i);
      for (uint32_t w = 0; w < 4; ++w) words[4 * i + w] = of_block.word[w];
    }
    const int64_t count = std::min(n - start, batch_words);
    MELGRAD_VECTORIZE
    for (int64_t i = 0; i < count; ++i) y[start + i] = drop_out(x[start + i], scale, words[i], threshold);
  }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(dropout_loop);

constexpr int64_t grain = 1 << 13;  // elements a chunk; a multiple of the 4 words of a block

void run(Stream& stream, double rate, const Philox& random, ConstView x, View y) {
  if (x.dtype == DType::f64) return reference::dropout<double>(rate, random, x, y);
  const uint32_t threshold = dropout_threshold(rate);
  const auto scale = static_cast<float>(1 / (1 - rate));
  parallel_for(stream.threads(), x.numel(), grain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(dropout_loop)
    (random, threshold, scale, static_cast<uint32_t>(begin / 4), x.as<float>() + begin, y.as<float>() + begin,
     end - begin);
  });
}

}  // namespace

extern const DropoutFunctions dropout_functions;
const DropoutFunctions dropout_functions{run};

}  // namespace melgrad::cpu
#endif
