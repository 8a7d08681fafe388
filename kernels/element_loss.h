// Losses that compare a prediction with its target element by element. All views have one shape; sums and means are
// reduce.h's. The gradient is that of the prediction.
#pragma once

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

enum class ElementLoss : uint8_t {
  squared_error,                // (x - t)²
  binary_cross_entropy_logits,  // -t log s(x) - (1 - t) log(1 - s(x)), s the sigmoid; in a form that is stable for any x
  binary_cross_entropy,         // -t log x - (1 - t) log(1 - x), x held to 1e-7 … 1 - 1e-7 as Keras holds it
  cross_entropy,                // -t log x, x held likewise: one class's term of a softmax's output
};

template <>
inline constexpr EnumNames<ElementLoss, 4> enum_names<ElementLoss>{
    {{ElementLoss::squared_error, "squared_error"},
     {ElementLoss::binary_cross_entropy_logits, "binary_cross_entropy_logits"},
     {ElementLoss::binary_cross_entropy, "binary_cross_entropy"},
     {ElementLoss::cross_entropy, "cross_entropy"}}};

void element_loss_forward(Stream& stream, ElementLoss loss, ConstView prediction, ConstView target, View y);

// dx = dy · d loss / d prediction; 0 where the prediction was held.
void element_loss_backward(Stream& stream, ElementLoss loss, ConstView prediction, ConstView target, ConstView dy,
                           View dx);

constexpr Cost element_loss_forward_cost(int64_t n, int64_t element_size) {
  return {4 * n, 3 * n * element_size};
}
constexpr Cost element_loss_backward_cost(int64_t n, int64_t element_size) {
  return {4 * n, 4 * n * element_size};
}

struct ElementLossFunctions {
  decltype(&element_loss_forward) forward;
  decltype(&element_loss_backward) backward;
};

}  // namespace melgrad
