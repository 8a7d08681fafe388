// RMSprop: Tieleman and Hinton, COURSERA: Neural Networks for Machine Learning, lecture 6e, 2012; centred: Graves,
// arXiv:1308.0850, equations 38 to 45. One step on one parameter, in place. All views have one shape.
#pragma once

#include <span>

#include "kernels/cost.h"
#include "kernels/sgd.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

// a ← rho·a + (1 - rho)·g²;  centred: m ← rho·m + (1 - rho)·g and s = a - m², else s = a;  then
// keras:   v ← momentum·v + rate·g/sqrt(s + epsilon);    w ← w - v
// pytorch: v ← momentum·v + g/(sqrt(s) + epsilon);       w ← w - rate·v
// with g = gradient + l2·w. They differ in where epsilon stands and in whether v has the rate in it.
struct RmspropStep {
  double learning_rate = 1e-3;
  double rho = 0.9;
  double momentum = 0;
  bool centred = false;
  double epsilon = 1e-7;
  double l2 = 0;
  OptimizerVariant variant = OptimizerVariant::keras;
};

// `square` (a), `mean` (m) and `velocity` (v) start as zeros. `mean` is not read or written unless centred, nor
// `velocity` when momentum is 0; both may then have a null pointer.
void rmsprop_update(Stream& stream, const RmspropStep& step, ConstView gradient, View square, View mean, View velocity,
                    View weight);

constexpr Cost rmsprop_update_cost(int64_t n, int64_t element_size) {
  return {9 * n, 5 * n * element_size};
}

// One parameter's part of a step over all.
struct RmspropUpdate {
  RmspropStep step;
  ConstView gradient;
  View square, mean, velocity, weight;
  double keep = 1;  // the weight is multiplied by it first: decoupled weight decay
};

// rmsprop_update of each, on a GPU in one launch. All steps have momentum, or none, and all are centred, or none; all
// memory is of one device.
void rmsprop_update_all(Stream& stream, std::span<const RmspropUpdate> updates);

struct RmspropFunctions {
  decltype(&rmsprop_update_all) update_all;
};

}  // namespace melgrad
