// What the optimizers' updates of several parameters at once have to check.
#pragma once

#include <cmath>

#include "kernels/check.h"

namespace melgrad {

// Parameters that one step updates are on one device; `keep` is what decoupled weight decay leaves of the weight.
inline void expect_updated_together(const char* operation, const ConstView& first, const ConstView& weight,
                                    double keep) {
  require(weight.device == first.device, "{}: mixes memory of {} and {}", operation, name_of(first.device),
          name_of(weight.device));
  require(std::isfinite(keep), "{}: keep is {}", operation, keep);
}

}  // namespace melgrad
