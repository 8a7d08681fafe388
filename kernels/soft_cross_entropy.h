// Softmax with cross-entropy, from logits and a target distribution a row, in one stable pass.
//
// logits, targets, probabilities, dlogits (rows, classes); loss, dloss (rows).
//   loss = Σ t · (log Σ exp(x) - x),  dlogits = (p · Σ t - t) · dloss
// A row of zeros as target, a sample without labels, has loss 0 and no gradient.
#pragma once

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

enum class TargetScale : uint8_t {
  as_given,
  sum_to_one,  // each row over its sum: several labels share a sample
};

template <>
inline constexpr EnumNames<TargetScale, 2> enum_names<TargetScale>{
    {{TargetScale::as_given, "as_given"}, {TargetScale::sum_to_one, "sum_to_one"}}};

void soft_cross_entropy_forward(Stream& stream, TargetScale scale, ConstView logits, ConstView targets, View loss,
                                View probabilities);

void soft_cross_entropy_backward(Stream& stream, TargetScale scale, ConstView probabilities, ConstView targets,
                                 ConstView dloss, View dlogits);

constexpr Cost soft_cross_entropy_forward_cost(int64_t rows, int64_t classes, int64_t element_size) {
  return {8 * rows * classes, (3 * rows * classes + rows) * element_size};
}
constexpr Cost soft_cross_entropy_backward_cost(int64_t rows, int64_t classes, int64_t element_size) {
  return {4 * rows * classes, (3 * rows * classes + rows) * element_size};
}

struct SoftCrossEntropyFunctions {
  decltype(&soft_cross_entropy_forward) forward;
  decltype(&soft_cross_entropy_backward) backward;
};

}  // namespace melgrad
