// What the cases of the optimizers' updates share.
#pragma once

#include "kernels/memory.h"
#include "kernels/sgd.h"
#include "tests/kernels/operation_check.h"

namespace melgrad::test {

inline constexpr OptimizerVariant all_variants[] = {OptimizerVariant::keras, OptimizerVariant::pytorch};

// An update works in place: the outputs start as the inputs behind the gradient, which are state and weight.
inline void copy_state(Inputs in, Outputs out) {
  for (std::size_t i = 0; i < out.size(); ++i) copy(in[i + 1], out[i]);
}

}  // namespace melgrad::test
