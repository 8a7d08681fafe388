// Batch normalisation.
//
// Algorithm: training forward sums x - s and its square down the columns in one pass, where s is the channel's first
// element; backward sums dy and dy·(x - mean) likewise. kernels/cuda/channel_statistics.h makes of the sums what the
// streaming pass needs.
// Bottleneck: global memory. Training reads x twice forward, x and dy twice backward; inference once.
// Launch: as columns.h says; the streaming passes are blocks of 256 threads, enough to fill the GPU.
#include "kernels/batch_norm.h"
#include "kernels/batch_norm_formulas.h"
#include "kernels/cuda/channel_statistics.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads)
    normalise_kernel(int64_t n, Divider channels, Global<const float> x, Global<const float> mean,
                     Coefficients coefficients, Global<float> y) {
  for_each_index(n, [&](int64_t i) {
    int64_t row = i;
    const int64_t channel = channels.split(row);
    y[i] = (x[i] - mean[channel]) * coefficients.get(Coefficients::scale, channel) +
           coefficients.get(Coefficients::offset, channel);
  });
}

__global__ void __launch_bounds__(threads)
    scale_kernel(int64_t n, Divider channels, Global<const float> dy, Coefficients coefficients, Global<float> dx) {
  for_each_index(n, [&](int64_t i) {
    int64_t row = i;
    dx[i] = dy[i] * coefficients.get(Coefficients::scale, channels.split(row));
  });
}

__global__ void __launch_bounds__(threads)
    gradient_kernel(int64_t n, Divider channels, Global<const float> x, Global<const float> dy,
                    Global<const float> mean, Coefficients coefficients, Global<float> dx) {
  for_each_index(n, [&](int64_t i) {
    int64_t row = i;
    const int64_t channel = channels.split(row);
    dx[i] = dy[i] * coefficients.get(Coefficients::scale, channel) +
            ((x[i] - mean[channel]) * coefficients.get(Coefficients::slope, channel) +
             coefficients.get(Coefficients::offset, channel));
  });
}

// ---- statistics

struct ShiftedSums : SumOfTwo {
  Global<const float> x;
  int64_t channels;

  ShiftedSums(Global<const float> of_x, int64_t of_row) : x(of_x), channels(of_row) {}
  __device__ void add(TwoSums& sums, int64_t, int64_t row, int64_t channel) const {
    const float difference = x[row * channels + channel] - x[channel];
    sums.first += difference;
    sums.second += difference * difference;
  }
};

void normalise(Stream& stream, ConstView x, ConstView mean, const Coefficients& coefficients, View y) {
  const int64_t n = x.numel();
  if (n == 0) return;
  launch<normalise_kernel>(striding_blocks(n, threads), threads, 0, stream, n, Divider(coefficients.channels),
                           global<const float>(x), global<const float>(mean), coefficients, global<float>(y));
}

void train_forward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView beta, View y, View mean,
                   View variance) {
  const int64_t channels = gamma.numel();
  if (channels == 0) return;
  const int64_t rows = x.numel() / channels;
  const Buffer memory = coefficient_memory(stream, channels);
  const Coefficients coefficients{global<float>(memory), channels};
  const StoreStatistics store{global<const float>(x),    global<const float>(gamma),
                              global<const float>(beta), global<float>(mean),
                              global<float>(variance),   coefficients,
                              static_cast<double>(rows), epsilon};
  reduce_columns(stream, 1, rows, channels, ShiftedSums(global<const float>(x), channels), store);
  normalise(stream, x, mean, coefficients, y);
}

// ---- given statistics

__global__ void __launch_bounds__(threads)
    given_coefficients_kernel(double epsilon, Global<const float> gamma, Global<const float> beta,
                              Global<const float> variance, Coefficients coefficients) {
  for_each_index(coefficients.channels, [&](int64_t channel) {
    coefficients.set(Coefficients::scale, channel, gamma[channel] * inverse_deviation(variance[channel], epsilon));
    coefficients.set(Coefficients::offset, channel, beta[channel]);
  });
}

void infer_forward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView beta, ConstView mean,
                   ConstView variance, View y) {
  const int64_t channels = gamma.numel();
  if (channels == 0) return;
  const Buffer memory = coefficient_memory(stream, channels);
  const Coefficients coefficients{global<float>(memory), channels};
  launch<given_coefficients_kernel>(striding_blocks(channels, threads), threads, 0, stream, epsilon,
                                    global<const float>(gamma), global<const float>(beta),
                                    global<const float>(variance), coefficients);
  normalise(stream, x, mean, coefficients, y);
}

// ---- gradients

struct GradientSums : SumOfTwo {
  Global<const float> x, dy, mean;
  int64_t channels;

  GradientSums(ConstView of_x, ConstView of_dy, ConstView of_mean)
      : x(global<const float>(of_x)),
        dy(global<const float>(of_dy)),
        mean(global<const float>(of_mean)),
        channels(of_mean.numel()) {}
  __device__ void add(TwoSums& sums, int64_t, int64_t row, int64_t channel) const {
    const int64_t i = row * channels + channel;
    sums.first += dy[i];
    sums.second += dy[i] * (x[i] - mean[channel]);
  }
};

template <bool training>
void backward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView mean, ConstView variance,
              ConstView dy, View dx, View dgamma, View dbeta) {
  const int64_t channels = gamma.numel(), n = x.numel();
  if (channels == 0) return;
  const Buffer memory = coefficient_memory(stream, channels);
  const Coefficients coefficients{global<float>(memory), channels};
  const StoreGradients store{global<const float>(gamma),
                             global<const float>(variance),
                             global<float>(dgamma),
                             global<float>(dbeta),
                             coefficients,
                             static_cast<double>(n / channels),
                             epsilon};
  reduce_columns(stream, 1, n / channels, channels, GradientSums(x, dy, mean), store);
  if (n == 0) return;
  const unsigned blocks = striding_blocks(n, threads);
  if constexpr (training) {
    launch<gradient_kernel>(blocks, threads, 0, stream, n, Divider(channels), global<const float>(x),
                            global<const float>(dy), global<const float>(mean), coefficients, global<float>(dx));
  } else {
    launch<scale_kernel>(blocks, threads, 0, stream, n, Divider(channels), global<const float>(dy), coefficients,
                         global<float>(dx));
  }
}

// ---- running statistics

__global__ void __launch_bounds__(threads)
    update_running_kernel(int64_t channels, float keep, float take, float take_variance, Global<const float> mean,
                          Global<const float> variance, Global<float> running_mean, Global<float> running_variance) {
  for_each_index(channels, [&](int64_t i) {
    running_mean[i] = running_average<float>(running_mean[i], keep, mean[i], take);
    running_variance[i] = running_average<float>(running_variance[i], keep, variance[i], take_variance);
  });
}

void update_running(Stream& stream, double keep, RunningVariance kind, int64_t rows, ConstView mean, ConstView variance,
                    View running_mean, View running_variance) {
  const int64_t channels = mean.numel();
  if (channels == 0) return;
  launch<update_running_kernel>(striding_blocks(channels, threads), threads, 0, stream, channels,
                                static_cast<float>(keep), static_cast<float>(1 - keep),
                                static_cast<float>((1 - keep) * running_variance_factor(kind, rows)),
                                global<const float>(mean), global<const float>(variance), global<float>(running_mean),
                                global<float>(running_variance));
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(BatchNormFunctions, batch_norm, train_forward, backward<true>, infer_forward, backward<false>,
                         update_running)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
