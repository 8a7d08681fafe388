// Dropout.
//
// Algorithm: one run of the generator gives four words, so a thread draws once and takes four neighbouring elements, and
// strides on by the grid; the thread at the end takes what is left of four.
// Bottleneck: global memory, 8 bytes an element, against some 20 integer multiplications for four elements.
// Launch: blocks of 256 threads, enough to fill the GPU; no shared memory.
#include "kernels/cuda/helpers.h"
#include "kernels/dropout.h"
#include "kernels/dropout_formulas.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;

template <bool vectorised>
__global__ void __launch_bounds__(threads)
    dropout_kernel(Philox random, uint32_t threshold, float scale, int64_t n, Global<const float> x, Global<float> y) {
  for_each_index((n + 3) / 4, [&](int64_t quad) {
    const Philox4 draw = random.block(static_cast<uint32_t>(quad));
    const int64_t begin = 4 * quad;
    if (vectorised && begin + 4 <= n) {
      const float4 in = vector_cast<const float4>(x)[quad];
      vector_cast<float4>(y)[quad] =
          make_float4(drop_out(in.x, scale, draw.word[0], threshold), drop_out(in.y, scale, draw.word[1], threshold),
                      drop_out(in.z, scale, draw.word[2], threshold), drop_out(in.w, scale, draw.word[3], threshold));
      return;
    }
    MELGRAD_UNROLL
    for (int i = 0; i < 4; ++i)
      if (begin + i < n) y[begin + i] = drop_out(float(x[begin + i]), scale, draw.word[i], threshold);
  });
}

void run(Stream& stream, double rate, const Philox& random, ConstView x, View y) {
  const int64_t n = x.numel();
  if (n == 0) return;
  const auto start = [&]<bool vectorised>() {
    launch<dropout_kernel<vectorised>>(striding_blocks(n, 4 * threads), threads, 0, stream, random,
                                       dropout_threshold(rate), static_cast<float>(1 / (1 - rate)), n,
                                       global<const float>(x), global<float>(y));
  };
  aligned_for_float4(x, y) ? start.template operator()<true>() : start.template operator()<false>();
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(DropoutFunctions, dropout, run)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
