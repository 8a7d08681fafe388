// Batch normalisation over the last axis: Ioffe and Szegedy, ICML 2015, algorithms 1 and 2.
//
// x, y, dy, dx (…, c), seen as `rows` × c; everything else (c).
//   y = gamma · (x - mean) / sqrt(variance + epsilon) + beta
// The variance is the biased one (divided by the number of rows), computed without cancellation: a mean of 1e4 with a
// deviation of 1 keeps its digits. Sums go over fixed chunks of rows, in order.
#pragma once

#include "kernels/cost.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

// Training: the statistics are the batch's own; `mean` and `variance` are outputs.
void batch_norm_train_forward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView beta, View y,
                              View mean, View variance);

// The gradient through y, mean and variance, from the mean and variance that the forward pass gave.
void batch_norm_train_backward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView mean,
                               ConstView variance, ConstView dy, View dx, View dgamma, View dbeta);

// Inference: the statistics are given, and constant in the backward pass.
void batch_norm_infer_forward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView beta,
                              ConstView mean, ConstView variance, View y);
void batch_norm_infer_backward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView mean,
                               ConstView variance, ConstView dy, View dx, View dgamma, View dbeta);

// What the running variance averages: Keras the biased variance of the batch, PyTorch the unbiased one, rows/(rows - 1)
// times it (0/0 for one row is left biased).
enum class RunningVariance : uint8_t { biased, unbiased };

template <>
inline constexpr EnumNames<RunningVariance, 2> enum_names<RunningVariance>{
    {{RunningVariance::biased, "biased"}, {RunningVariance::unbiased, "unbiased"}}};

// running = keep · running + (1 - keep) · batch, for the mean and the variance of a batch of `rows`, in place.
void batch_norm_update_running(Stream& stream, double keep, RunningVariance kind, int64_t rows, ConstView mean,
                               ConstView variance, View running_mean, View running_variance);

constexpr Cost batch_norm_forward_cost(int64_t rows, int64_t channels, int64_t element_size) {
  return {7 * rows * channels, (2 * rows * channels + 4 * channels) * element_size};
}
constexpr Cost batch_norm_backward_cost(int64_t rows, int64_t channels, int64_t element_size) {
  return {11 * rows * channels, (3 * rows * channels + 5 * channels) * element_size};
}

struct BatchNormFunctions {
  decltype(&batch_norm_train_forward) train_forward;
  decltype(&batch_norm_train_backward) train_backward;
  decltype(&batch_norm_infer_forward) infer_forward;
  decltype(&batch_norm_infer_backward) infer_backward;
  decltype(&batch_norm_update_running) update_running;
};

}  // namespace melgrad
