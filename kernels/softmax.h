// Softmax over the last axis: y = exp(x - max x) / Σ exp(x - max x). x, y (…, classes).
#pragma once

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

void softmax_forward(Stream& stream, ConstView x, View y);

// dx = y · (dy - Σ y dy).
void softmax_backward(Stream& stream, ConstView y, ConstView dy, View dx);

constexpr Cost softmax_forward_cost(int64_t rows, int64_t classes, int64_t element_size) {
  return {4 * rows * classes, 2 * rows * classes * element_size};
}
constexpr Cost softmax_backward_cost(int64_t rows, int64_t classes, int64_t element_size) {
  return {4 * rows * classes, 3 * rows * classes * element_size};
}

struct SoftmaxFunctions {
  decltype(&softmax_forward) forward;
  decltype(&softmax_backward) backward;
};

}  // namespace melgrad
