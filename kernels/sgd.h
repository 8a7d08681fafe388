// Stochastic gradient descent with momentum: one step on one parameter, in place. All views have one shape.
#pragma once

#include <span>

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

// Where frameworks differ.
enum class OptimizerVariant : uint8_t { keras, pytorch };

template <>
inline constexpr EnumNames<OptimizerVariant, 2> enum_names<OptimizerVariant>{
    {{OptimizerVariant::keras, "keras"}, {OptimizerVariant::pytorch, "pytorch"}}};

// keras:   v ← momentum·v - rate·g;  w ← w + v,       nesterov: w ← w + momentum·v - rate·g
// pytorch: v ← momentum·v + g;       w ← w - rate·v,  nesterov: w ← w - rate·(g + momentum·v)
// With g = gradient + l2·w. They agree while the rate is constant. Nesterov: Sutskever et al., ICML 2013.
struct SgdStep {
  double learning_rate = 0.01;
  double momentum = 0;
  bool nesterov = false;
  double l2 = 0;
  OptimizerVariant variant = OptimizerVariant::keras;
};

// `velocity` starts as zeros; it is not read or written when momentum is 0, and may then have a null pointer.
void sgd_update(Stream& stream, const SgdStep& step, ConstView gradient, View velocity, View weight);

constexpr Cost sgd_update_cost(int64_t n, int64_t element_size) {
  return {6 * n, 5 * n * element_size};
}

// One parameter's part of a step over all.
struct SgdUpdate {
  SgdStep step;
  ConstView gradient;
  View velocity, weight;
  double keep = 1;  // the weight is multiplied by it first: decoupled weight decay
};

// sgd_update of each, on a GPU in one launch. All steps have momentum, or none, and one variant; all memory is of one
// device.
void sgd_update_all(Stream& stream, std::span<const SgdUpdate> updates);

struct SgdFunctions {
  decltype(&sgd_update_all) update_all;
};

}  // namespace melgrad
