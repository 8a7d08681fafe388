// Dropout: Srivastava et al., JMLR 2014, in the inverted form: y = x / (1 - rate) where kept, 0 elsewhere.
//
// Element i is kept where the random number i of `random` (kernels/philox.h) is at least `rate`: the mask is the same
// on every device and is never stored. The gradient is the same function of dy, with the same `random`.
#pragma once

#include "kernels/cost.h"
#include "kernels/philox.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

// 0 <= rate < 1. y may be x.
void dropout(Stream& stream, double rate, const Philox& random, ConstView x, View y);

constexpr Cost dropout_cost(int64_t n, int64_t element_size) {
  return {n, 2 * n * element_size};
}

struct DropoutFunctions {
  decltype(&dropout) run;
};

}  // namespace melgrad
