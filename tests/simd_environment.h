// The instruction set that MELGRAD_SIMD names, for test programs: what holds for the best must hold for each.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "kernels/simd.h"

namespace melgrad::test {

// False, with a line, if this processor does not have it.
inline bool use_simd_of_environment() {
  const char* name = std::getenv("MELGRAD_SIMD");
  if (name == nullptr) return true;
  const auto names = simd_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    std::printf("skipped: this processor has no %s\n", name);
    return false;
  }
  use_simd(name);
  return true;
}

}  // namespace melgrad::test
