// Reference of Gaussian noise: the definition, as loops. See kernels/gaussian_noise.h.
#pragma once

#include "kernels/gaussian_noise.h"
#include "kernels/gaussian_noise_formulas.h"

namespace melgrad::reference {

// Standard normal number `index` of a stream.
template <class T>
T normal_number(const Philox& random, int64_t index) {
  const auto pair = static_cast<uint64_t>(index & ~int64_t{1});
  const NormalPair<T> normal = normal_pair<T>(random.word(pair), random.word(pair + 1));
  return index & 1 ? normal.second : normal.first;
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
