// Statistics of channels, and what normalisation makes of them: shared by batch norm and by the fused norm_pool.
//
// Both reduce pairs of sums down the columns (kernels/cuda/columns.h). The launch that ends a reduction works out the few
// numbers that the streaming pass behind it needs a channel, so that this is one multiply-add an element and no square
// root.
#pragma once

#include "kernels/cuda/columns.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

// Aligned so that a thread reads and writes both at once: one by one, two lanes would meet in every bank.
struct alignas(8) TwoSums {
  float first, second;
};

// What reductions of two sums share.
struct SumOfTwo {
  using Value = TwoSums;
  __device__ static TwoSums none() { return {0.0f, 0.0f}; }
  __device__ static TwoSums combine(TwoSums a, TwoSums b) { return {a.first + b.first, a.second + b.second}; }
};

__device__ inline double inverse_deviation(double variance, double epsilon) {
  return 1 / sqrt(variance + epsilon);
}

// gamma / sqrt(variance + epsilon), for map().
struct NormScale {
  double epsilon;
  __device__ float operator()(float gamma, float variance) const {
    return static_cast<float>(gamma * inverse_deviation(variance, epsilon));
  }
};

// What the streaming pass needs: y = (x - mean) · scale + offset, and dx = dy · scale + (x - mean) · slope + offset.
struct Coefficients {
  Global<float> values;
  int64_t channels;

  __device__ void set(int which, int64_t channel, double value) const {
    values[which * channels + channel] = static_cast<float>(value);
  }
  __device__ float get(int which, int64_t channel) const { return values[which * channels + channel]; }
  Global<const float> row(int which) const { return values + which * channels; }
  static constexpr int scale = 0, offset = 1, slope = 2, count = 3;
};

inline Buffer coefficient_memory(Stream& stream, int64_t channels) {
  return stream.workspace(Coefficients::count * channels * size_of(DType::f32));
}

// ---- forward: mean, variance, y = (x - mean) · scale + offset

// From Σ(x - s) and Σ(x - s)², where s is the channel's first element: close enough to the mean that no digits cancel, and
// a constant channel has variance 0 to the bit.
struct ExactStatistics {
  double mean, variance;

  __device__ ExactStatistics(TwoSums sums, float shift, double rows) {
    const double from_shift = sums.first / rows, squares = sums.second / rows - from_shift * from_shift;
    mean = shift + from_shift;
    variance = squares < 0 ? 0 : squares;  // rounding may leave it a hair below 0
  }
};

struct StoreStatistics {
  Global<const float> x, gamma, beta;
  Global<float> mean, variance;
  Coefficients coefficients;
  double rows, epsilon;

  __device__ void operator()(int64_t, int64_t, int64_t channel, TwoSums sums) const {
    const ExactStatistics exact(sums, x[channel], rows);
    const auto rounded = static_cast<float>(exact.mean);
    mean[channel] = rounded;
    variance[channel] = static_cast<float>(exact.variance);
    const double scale = gamma[channel] * inverse_deviation(exact.variance, epsilon);
    coefficients.set(Coefficients::scale, channel, scale);
    // What rounding took from the mean goes into the offset.
    coefficients.set(Coefficients::offset, channel, beta[channel] - (exact.mean - rounded) * scale);
  }
};

// ---- backward: dgamma, dbeta, dx = dy · scale + (x - mean) · slope + offset

// With u = (x - mean) · inverse: dbeta = Σ dy, dgamma = Σ dy u, and
// dx = gamma · inverse · (dy - (dbeta + u · dgamma) / rows), the second term in training alone.
// The sums are of dy and of dy · (x - mean).
struct StoreGradients {
  Global<const float> gamma, variance;
  Global<float> dgamma, dbeta;
  Coefficients coefficients;
  double rows, epsilon;

  __device__ void operator()(int64_t, int64_t, int64_t channel, TwoSums sums) const {
    const double inverse = inverse_deviation(variance[channel], epsilon), scale = gamma[channel] * inverse;
    dbeta[channel] = sums.first;
    dgamma[channel] = static_cast<float>(sums.second * inverse);
    coefficients.set(Coefficients::scale, channel, scale);
    coefficients.set(Coefficients::slope, channel, -scale / rows * inverse * inverse * sums.second);
    coefficients.set(Coefficients::offset, channel, -scale / rows * sums.first);
  }
};

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
