#include "kernels/simd.h"

#include <hwy/targets.h>

namespace melgrad {

std::string simd_name() {
  // The best of the targets that were compiled and that this processor supports.
  const int64_t both = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(both & -both);
}

}  // namespace melgrad
