// Lanes: four floats side by side that + - * treat as one, for host code that does the same to four signals at a time.
#pragma once

#include <cstdint>

namespace melgrad {

using Lanes = float __attribute__((vector_size(16)));
inline constexpr int64_t lane_count = 4;

}  // namespace melgrad
