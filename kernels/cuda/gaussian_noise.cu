// Gaussian noise.
//
// Algorithm: one run of the generator gives four words, two pairs of normal numbers; a thread draws once, adds them to
// four neighbouring elements and strides on by the grid.
// Bottleneck: two logarithms, square roots, sines and cosines for four elements of 8 bytes each.
// Launch: blocks of 256 threads, enough to fill the GPU; no shared memory.
#include "kernels/cuda/helpers.h"
#include "kernels/gaussian_noise.h"
#include "kernels/gaussian_noise_formulas.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads)
    gaussian_noise_kernel(Philox random, float deviation, int64_t n, Global<const float> x, Global<float> y) {
  for_each_index((n + 3) / 4, [&](int64_t quad) {
    const Philox4 draw = random.block(static_cast<uint32_t>(quad));
    MELGRAD_UNROLL
    for (int pair = 0; pair < 4; pair += 2) {
      const NormalPair<float> normal = normal_pair<float>(draw.word[pair], draw.word[pair + 1]);
      const int64_t i = 4 * quad + pair;
      if (i < n) y[i] = x[i] + deviation * normal.first;
      if (i + 1 < n) y[i + 1] = x[i + 1] + deviation * normal.second;
    }
  });
}

void run(Stream& stream, double deviation, const Philox& random, ConstView x, View y) {
  const int64_t n = x.numel();
  if (n == 0) return;
  launch<gaussian_noise_kernel>(striding_blocks(n, 4 * threads), threads, 0, stream, random,
                                static_cast<float>(deviation), n, global<const float>(x), global<float>(y));
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(GaussianNoiseFunctions, gaussian_noise, run)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
