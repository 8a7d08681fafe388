// The running statistics of batch normalisation, written once for the reference, the CPU and the CUDA kernels.
#pragma once

#include <cstdint>

#include "kernels/batch_norm.h"
#include "kernels/host_device.h"

namespace melgrad {

// What the batch's biased variance is multiplied by before it is averaged.
inline double running_variance_factor(RunningVariance kind, int64_t rows) {
  if (kind == RunningVariance::biased || rows == 1) return 1;
  return static_cast<double>(rows) / static_cast<double>(rows - 1);
}

// `take` is 1 - keep, times the factor for a variance.
template <class T>
MELGRAD_HOST_DEVICE constexpr T running_average(T running, T keep, T batch, T take) {
  return keep * running + take * batch;
}

}  // namespace melgrad
