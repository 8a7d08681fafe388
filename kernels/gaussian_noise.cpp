#include "kernels/gaussian_noise.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const GaussianNoiseFunctions gaussian_noise_functions;
}
namespace simt {
extern const GaussianNoiseFunctions gaussian_noise_functions;
}

void gaussian_noise(Stream& stream, double deviation, const Philox& random, ConstView x, View y) {
  require(deviation >= 0, "gaussian_noise: deviation {}, expected 0 or more", deviation);
  expect_alike("gaussian_noise", x, y);
  expect_shape("gaussian_noise", "y", y, x.shape);
  functions_for("gaussian_noise", x.device, &cpu::gaussian_noise_functions, &simt::gaussian_noise_functions)
      .run(stream, deviation, random, x, y);
}

}  // namespace melgrad
