// The instruction set that the CPU kernels run on this machine.
#pragma once

#include <string>

namespace melgrad {

std::string simd_name();  // "AVX3" is Highway's name of AVX-512

}  // namespace melgrad
