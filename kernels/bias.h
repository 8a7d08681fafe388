// Bias: one number a channel, added along the last axis. x and y (…, c), bias (c).
#pragma once

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

// y = x + bias. y may be x.
void bias_forward(Stream& stream, ConstView x, ConstView bias, View y);

// dbias[c] = Σ dy[…, c], summed over fixed chunks of rows, in order. (dx is dy.)
void bias_backward(Stream& stream, ConstView dy, View dbias);

constexpr Cost bias_forward_cost(int64_t rows, int64_t channels, int64_t element_size) {
  return {rows * channels, (2 * rows * channels + channels) * element_size};
}
constexpr Cost bias_backward_cost(int64_t rows, int64_t channels, int64_t element_size) {
  return {rows * channels, (rows * channels + channels) * element_size};
}

struct BiasFunctions {
  void (*forward)(Stream&, ConstView x, ConstView bias, View y);
  void (*backward)(Stream&, ConstView dy, View dbias);
};

}  // namespace melgrad
