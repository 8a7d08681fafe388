// The instruction set that the CPU kernels run on this machine.
#pragma once

#include <string>
#include <vector>

namespace melgrad {

std::string simd_name();  // "AVX3" is Highway's name of AVX-512

// All that were compiled and that this processor has, the best first.
std::vector<std::string> simd_names();

// For tests and benches: kernels run the named one from now on, or the best again after "". Throws Error listing the
// names for one that is not among them. Not while kernels run; a plan (kernels/spectral_bands.h) keeps the one that it
// was made with.
void use_simd(const std::string& name);

}  // namespace melgrad
