// Gaussian noise: y = x + deviation · z, z standard normal.
//
// Elements 2i and 2i + 1 get the pair that Box and Muller (1958) make of words 2i and 2i + 1 of `random`
// (kernels/philox.h): the noise is the same, up to rounding, on every device, and is never stored. The gradient of x is
// dy.
#pragma once

#include "kernels/cost.h"
#include "kernels/philox.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

// deviation >= 0. y may be x.
void gaussian_noise(Stream& stream, double deviation, const Philox& random, ConstView x, View y);

constexpr Cost gaussian_noise_cost(int64_t n, int64_t element_size) {
  return {4 * n, 2 * n * element_size};
}

struct GaussianNoiseFunctions {
  decltype(&gaussian_noise) run;
};

}  // namespace melgrad
