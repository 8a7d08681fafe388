// Adadelta: Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1. One step on one parameter, in place.
// All views have one shape.
#pragma once

#include <span>

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

// a ← rho·a + (1 - rho)·g²;  d = sqrt(u + epsilon)/sqrt(a + epsilon)·g;  u ← rho·u + (1 - rho)·d²;  w ← w - rate·d
// with g = gradient + l2·w. Keras and PyTorch agree in this; their defaults do not: (rate 0.001, rho 0.95, epsilon 1e-7)
// and (1, 0.9, 1e-6). The paper and old Keras have rate 1, rho 0.95.
struct AdadeltaStep {
  double learning_rate = 1;
  double rho = 0.95;
  double epsilon = 1e-6;
  double l2 = 0;
};

// `square` (a) and `update` (u) start as zeros.
void adadelta_update(Stream& stream, const AdadeltaStep& step, ConstView gradient, View square, View update,
                     View weight);

constexpr Cost adadelta_update_cost(int64_t n, int64_t element_size) {
  return {16 * n, 7 * n * element_size};
}

// One parameter's part of a step over all.
struct AdadeltaUpdate {
  AdadeltaStep step;
  ConstView gradient;
  View square, update, weight;
  double keep = 1;  // the weight is multiplied by it first: decoupled weight decay
};

// adadelta_update of each, on a GPU in one launch. All memory is of one device.
void adadelta_update_all(Stream& stream, std::span<const AdadeltaUpdate> updates);

struct AdadeltaFunctions {
  decltype(&adadelta_update_all) update_all;
};

}  // namespace melgrad
