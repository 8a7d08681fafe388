// What wins in a max pool, written once for the reference, the CPU and the CUDA kernels.
#pragma once

#include "kernels/host_device.h"

namespace melgrad {

// Whether `value` takes the place of `best`, found earlier in the window: a tie stays with the first, and a NaN beats
// all but an earlier NaN.
template <class T>
MELGRAD_HOST_DEVICE constexpr bool max_pool_takes(T best, T value) {
  return !(value <= best) && best == best;
}

}  // namespace melgrad
