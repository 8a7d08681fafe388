// The radices for which there is a pass, largest first.
#pragma once

#include <array>

namespace melgrad::cpu {

inline constexpr std::array compiled_radices{32, 30, 27, 25, 24, 20, 18, 16, 15, 12, 10, 9, 8, 6, 5, 4, 3, 2};

}  // namespace melgrad::cpu
