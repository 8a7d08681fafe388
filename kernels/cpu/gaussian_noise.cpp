// Gaussian noise on the CPU: the reference's loop, by threads; bound by the generator and the logarithms.
#include "kernels/reference/gaussian_noise.h"

namespace melgrad::cpu {
namespace {

constexpr int64_t grain = 1 << 11;  // elements a chunk

void run(Stream& stream, double deviation, const Philox& random, ConstView x, View y) {
  if (x.dtype == DType::f64) return reference::gaussian_noise<double>(deviation, random, x, y);
  parallel_for(stream.threads(), x.numel(), grain, [&](int64_t begin, int64_t end) {
    reference::gaussian_noise(deviation, random, x.as<float>(), y.as<float>(), begin, end);
  });
}

}  // namespace

extern const GaussianNoiseFunctions gaussian_noise_functions;
const GaussianNoiseFunctions gaussian_noise_functions{run};

}  // namespace melgrad::cpu
