// Normal numbers from random words, written once for the reference, the CPU and the CUDA kernels.
#pragma once

#include <cmath>

#include "kernels/host_device.h"
#include "kernels/philox.h"

namespace melgrad {

template <class T>
struct NormalPair {
  T first, second;
};

// Box and Muller 1958. The first word is taken from (0, 1], so its logarithm is finite.
template <class T>
MELGRAD_HOST_DEVICE inline NormalPair<T> normal_pair(uint32_t word, uint32_t next) {
  const T radius = std::sqrt(T{-2} * std::log(T{1} - static_cast<T>(uniform_from(word))));
  const T angle = T(6.283185307179586) * static_cast<T>(uniform_from(next));
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace melgrad
