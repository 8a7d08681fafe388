// Adam: Kingma and Ba, ICLR 2015, algorithm 1. One step on one parameter, in place. All views have one shape.
#pragma once

#include <span>

#include "kernels/cost.h"
#include "kernels/sgd.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

// m ← beta1·m + (1 - beta1)·g;  v ← beta2·v + (1 - beta2)·g²;  with t the number of this step, from 1:
// keras:   w ← w - rate·sqrt(1 - beta2ᵗ)/(1 - beta1ᵗ) · m / (sqrt(v) + epsilon)           (section 2, last paragraph)
// pytorch: w ← w - rate · m/(1 - beta1ᵗ) / (sqrt(v/(1 - beta2ᵗ)) + epsilon)               (algorithm 1)
// They differ in what epsilon is added to. g = gradient + l2·w. amsgrad: v's largest value so far stands for v in the
// update (Reddi, Kale and Kumar, ICLR 2018, algorithm 2; both frameworks keep the corrections, which the paper drops).
struct AdamStep {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-7;
  double l2 = 0;
  bool amsgrad = false;
  int64_t step = 1;
  OptimizerVariant variant = OptimizerVariant::keras;
};

// The moments start as zeros. `largest_second_moment` is not read or written without amsgrad, and may then have a null
// pointer.
void adam_update(Stream& stream, const AdamStep& step, ConstView gradient, View first_moment, View second_moment,
                 View largest_second_moment, View weight);

constexpr Cost adam_update_cost(int64_t n, int64_t element_size) {
  return {12 * n, 7 * n * element_size};
}

// One parameter's part of a step over all.
struct AdamUpdate {
  AdamStep step;
  ConstView gradient;
  View first_moment, second_moment, largest_second_moment, weight;
  double keep = 1;  // the weight is multiplied by it first: decoupled weight decay
};

// adam_update of each, on a GPU in one launch. All steps have amsgrad, or none; all memory is of one device.
void adam_update_all(Stream& stream, std::span<const AdamUpdate> updates);

struct AdamFunctions {
  decltype(&adam_update_all) update_all;
};

}  // namespace melgrad
