// Reference of Gaussian noise: the definition, as loops. See kernels/gaussian_noise.h.
#pragma once

#include <cmath>

#include "kernels/gaussian_noise.h"

namespace melgrad::reference {

// Standard normal number `index` of a stream. The first word is taken from (0, 1], so its logarithm is finite.
template <class T>
T normal_number(const Philox& random, int64_t index) {
  const auto pair = static_cast<uint64_t>(index & ~int64_t{1});
  const T radius = std::sqrt(T{-2} * std::log(T{1} - static_cast<T>(random.uniform(pair))));
  const T angle = T(6.283185307179586) * static_cast<T>(random.uniform(pair + 1));
  return radius * (index & 1 ? std::sin(angle) : std::cos(angle));
}

// Elements begin … end.
template <class T>
void gaussian_noise(double deviation, const Philox& random, const T* x, T* y, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) y[i] = x[i] + static_cast<T>(deviation) * normal_number<T>(random, i);
}

template <class T>
void gaussian_noise(double deviation, const Philox& random, ConstView x, View y) {
  gaussian_noise(deviation, random, x.as<T>(), y.as<T>(), 0, x.numel());
}

}  // namespace melgrad::reference
