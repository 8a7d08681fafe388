// Adam: Kingma and Ba, ICLR 2015, algorithm 1. One step on one parameter, in place. All views have one shape.
#pragma once

#include "kernels/cost.h"
#include "kernels/sgd.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

// m ← beta1·m + (1 - beta1)·g;  v ← beta2·v + (1 - beta2)·g²;  with t the number of this step, from 1:
// keras:   w ← w - rate·sqrt(1 - beta2ᵗ)/(1 - beta1ᵗ) · m / (sqrt(v) + epsilon)           (section 2, last paragraph)
// pytorch: w ← w - rate · m/(1 - beta1ᵗ) / (sqrt(v/(1 - beta2ᵗ)) + epsilon)               (algorithm 1)
// They differ in what epsilon is added to. g = gradient + weight_decay·w (L2, not decoupled).
struct AdamStep {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-7;
  double weight_decay = 0;
  int64_t step = 1;
  OptimizerVariant variant = OptimizerVariant::keras;
};

// `first_moment` and `second_moment` start as zeros.
void adam_update(Stream& stream, const AdamStep& step, ConstView gradient, View first_moment, View second_moment,
                 View weight);

constexpr Cost adam_update_cost(int64_t n, int64_t element_size) {
  return {12 * n, 7 * n * element_size};
}

struct AdamFunctions {
  decltype(&adam_update) update;
};

}  // namespace melgrad
