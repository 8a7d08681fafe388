// The first block of a network, on one input channel; kernels/first_block.h has the definition and the formulas.
//
// y is computed from x wherever it is needed and never stored. A thread takes a window of the pool and a few channels, a
// warp neighbouring channels, so that a number of x is fetched for all of them at once and feeds a product for each.
// Statistics: sums over patches and over pairs of their elements down the columns (kernels/cuda/columns.h), a column a sum,
// in f64, since mean and variance come out of them by cancellation. Backward: the sums over winners likewise, in f32 around
// the mean patch; what ends the reduction makes the gradients of them.
// Bottleneck: forward the write of z with few taps, the fetching of x with many; backward the fetching of x. Statistics:
// units of f64, of which chips for games have few.
// Launch: forward blocks of 256 threads, enough to fill the GPU; the sums as columns.h says.
#include "kernels/first_block.h"

#include "kernels/cuda/first_block_data.h"
#include "kernels/cuda/map.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = first_block_threads;
constexpr int most_taps = 16, most_sums = most_taps + most_taps * (most_taps + 1) / 2;

// ---- statistics

// Sums of a patch's elements, and of the products of each two of them.
struct MomentSums {
  using Value = double;
  ConvShape shape;
  Global<const float> x;
  uint8_t first[most_sums],
      second[most_sums];  // the taps whose product a column sums; second is most_taps: the tap alone
  int64_t columns = 0;

  MomentSums(const Conv2dProblem& p, ConstView of_x) : shape(p), x(global<const float>(of_x)) {
    const auto add = [&](int64_t k, int64_t l) {
      first[columns] = static_cast<uint8_t>(k);
      second[columns++] = static_cast<uint8_t>(l);
    };
    for (int64_t k = 0; k < p.taps(); ++k) add(k, most_taps);
    for (int64_t k = 0; k < p.taps(); ++k)
      for (int64_t l = k; l < p.taps(); ++l) add(k, l);
  }

  __device__ static double none() { return 0.0; }
  __device__ static double combine(double a, double b) { return a + b; }
  __device__ __forceinline__ double element(const PixelStart& pixel, int tap) const {
    return patch_element(shape, x, pixel, place_in_patch(shape, tap, 0));
  }
  __device__ void add(double& sum, int64_t, int64_t position, int64_t column) const {
    const PixelStart pixel = start_of_pixel(shape, position);
    const double left = element(pixel, first[column]);
    sum += second[column] == most_taps ? left : left * element(pixel, second[column]);
  }
};
struct StoreSum {
  Global<double> sums;
  __device__ void operator()(int64_t, int64_t, int64_t column, double sum) const { sums[column] = sum; }
};

// m and C from the sums.
__global__ void __launch_bounds__(threads)
    first_block_moments_kernel(int64_t taps, double positions, Global<const double> sums, Global<double> moments) {
  for_each_index((1 + taps) * taps, [&](int64_t i) {
    if (i < taps) {
      moments[i] = sums[i] / positions;
      return;
    }
    const int64_t a = (i - taps) / taps, b = (i - taps) % taps, k = a < b ? a : b, l = a < b ? b : a;
    const double product = sums[taps + k * taps - k * (k - 1) / 2 + l - k];
    moments[i] = product / positions - sums[k] / positions * (sums[l] / positions);
  });
}

// Σₗ C[k, l] w[l, channel]: the covariance of patch element k with y.
__device__ __forceinline__ double covariance(Global<const double> moments, Global<const float> weight, int64_t taps,
                                             int64_t k, int64_t channel, int64_t channels) {
  double sum = 0;
  for (int64_t l = 0; l < taps; ++l)
    sum += moments[(1 + k) * taps + l] * static_cast<double>(weight[l * channels + channel]);
  return sum;
}

__global__ void __launch_bounds__(threads)
    first_block_statistics_kernel(int64_t taps, int64_t channels, Global<const double> moments,
                                  Global<const float> weight, Global<float> mean, Global<float> variance) {
  for_each_index(channels, [&](int64_t channel) {
    double average = 0, spread = 0;
    for (int64_t k = 0; k < taps; ++k) {
      const double w = weight[k * channels + channel];
      average += w * moments[k];
      spread += w * covariance(moments, weight, taps, k, channel, channels);
    }
    mean[channel] = static_cast<float>(average);
    variance[channel] = static_cast<float>(spread < 0 ? 0 : spread);
  });
}

void statistics(Stream& stream, const BlockProblem& problem, ConstView x, ConstView weight, View mean, View variance,
                View moments) {
  const Conv2dProblem& p = problem.conv;
  expect_places(p);
  const MomentSums source(p, x);
  const Buffer memory = stream.workspace(source.columns * size_of(DType::f64));
  const Global<double> sums = global<double>(memory);
  reduce_columns(stream, 1, problem.positions(), source.columns, source, StoreSum{sums});
  launch<first_block_moments_kernel>(striding_blocks(moments.numel(), threads), threads, 0, stream, p.taps(),
                                     static_cast<double>(problem.positions()), sums, global<double>(moments));
  launch<first_block_statistics_kernel>(striding_blocks(p.o, threads), threads, 0, stream, p.taps(), p.o,
                                        global<const double>(moments), global<const float>(weight), global<float>(mean),
                                        global<float>(variance));
}

// ---- forward

void expect_sizes(const BlockProblem& problem) {
  expect_places(problem.conv);
  const int64_t windows = problem.pool().y_shape().numel() / problem.conv.o;
  require(windows >> 31 == 0, "first_block: {} windows are too many for this device", windows);
}

// Calls body.operator()<taps>() with the least bound there is.
template <class Body>
void with_taps(const Conv2dProblem& p, const Body& body) {
  if (p.taps() <= 4) return body.template operator()<4>();
  if (p.taps() <= 9) return body.template operator()<9>();
  body.template operator()<most_taps>();
}

template <int taps>
__global__ void __launch_bounds__(threads) first_block_forward_kernel(FirstBlock<taps> block, Global<float> z) {
  for_each_index(block.windows * block.lanes.divisor(), [&](int64_t window) {
    const int64_t lane = block.lanes.split(window);
    const typename FirstBlock<taps>::Winners winners = block.winners(window, lane);
    MELGRAD_UNROLL
    for (int j = 0; j < block.own; ++j) {
      const int64_t channel = block.channel(lane, j);
      if (channel < block.channels) z[window * block.channels + channel] = block.z(winners.y[j], channel);
    }
  });
}

// A workspace of gamma / sqrt(variance + epsilon).
class Scales {
 public:
  Scales(Stream& stream, double epsilon, ConstView gamma, ConstView variance)
      : memory_(stream.workspace(gamma.bytes())), view_{memory_.data(), gamma.shape, DType::f32, stream.device()} {
    map(stream, NormScale{epsilon}, view_, gamma, variance);
  }
  ConstView view() const { return view_; }

 private:
  Buffer memory_;
  View view_;
};

void forward(Stream& stream, const BlockProblem& problem, ConstView x, ConstView weight, ConstView gamma,
             ConstView beta, ConstView mean, ConstView variance, View z) {
  expect_sizes(problem);
  if (z.numel() == 0) return;
  const Scales scales(stream, problem.epsilon, gamma, variance);
  with_taps(problem.conv, [&]<int taps>() {
    const FirstBlock<taps> block(problem, x, weight, gamma, beta, mean, scales.view());
    launch<first_block_forward_kernel<taps>>(striding_blocks(block.windows * block.lanes.divisor(), threads), threads,
                                             0, stream, block, global<float>(z));
  });
}

// ---- backward

// In a thread's channels Σg, and for each tap Σ g · (x[winner + k] - center[k]).
template <int taps>
struct FirstWinnerSums {
  using Block = FirstBlock<taps>;
  struct Value {
    float sums[Block::own][1 + taps];
  };
  Block block;
  Global<const float> dz, center;

  __device__ static Value none() {
    Value zero;
    MELGRAD_UNROLL
    for (int j = 0; j < Block::own; ++j) {
      MELGRAD_UNROLL
      for (int k = 0; k <= taps; ++k) zero.sums[j][k] = 0.0f;
    }
    return zero;
  }
  __device__ static Value combine(Value a, const Value& b) {
    MELGRAD_UNROLL
    for (int j = 0; j < Block::own; ++j) {
      MELGRAD_UNROLL
      for (int k = 0; k <= taps; ++k) a.sums[j][k] += b.sums[j][k];
    }
    return a;
  }
  __device__ void add(Value& value, int64_t, int64_t window, int64_t lane) const {
    const typename Block::Winners winners = block.winners(window, lane);
    MELGRAD_UNROLL
    for (int j = 0; j < Block::own; ++j) {
      const int64_t channel = block.channel(lane, j);
      if (channel >= block.channels) continue;
      const float g = block.f.gradient(block.z(winners.y[j], channel), dz[window * block.channels + channel]);
      value.sums[j][0] += g;
      MELGRAD_UNROLL
      for (int k = 0; k < taps; ++k)
        if (k < block.count) value.sums[j][1 + k] += g * (block.element(winners.at[j], k) - center[k]);
    }
  }
};

// The mean patch in f32, around which winners are summed.
__global__ void __launch_bounds__(threads)
    first_block_center_kernel(int64_t taps, Global<const double> moments, Global<float> center) {
  for_each_index(taps, [&](int64_t k) { center[k] = static_cast<float>(double(moments[k])); });
}

// The sums (1 + taps, channels) of all chunks.
template <int taps>
struct StoreWinnerSums {
  FirstBlock<taps> block;
  Global<float> sums;

  __device__ void operator()(int64_t, int64_t, int64_t lane, const typename FirstWinnerSums<taps>::Value& value) const {
    MELGRAD_UNROLL
    for (int j = 0; j < FirstBlock<taps>::own; ++j) {
      const int64_t channel = block.channel(lane, j);
      if (channel >= block.channels) continue;
      MELGRAD_UNROLL
      for (int k = 0; k <= taps; ++k)
        if (k <= block.count) sums[k * block.channels + channel] = value.sums[j][k];
    }
  }
};

// `through` is 1 where gradients go through mean and variance, else 0.
__global__ void __launch_bounds__(threads)
    first_block_gradient_kernel(int64_t taps, int64_t channels, double epsilon, double through,
                                Global<const float> weight, Global<const float> gamma, Global<const float> mean,
                                Global<const float> variance, Global<const float> center, Global<const double> moments,
                                Global<const float> sums, Global<float> dweight, Global<float> dgamma,
                                Global<float> dbeta) {
  for_each_index(channels, [&](int64_t channel) {
    const double inverse = inverse_deviation(variance[channel], epsilon), scale = gamma[channel] * inverse;
    const double g = sums[channel];
    const auto of_tap = [&](int64_t k) { return sums[(1 + k) * channels + channel]; };
    double product = -g * mean[channel];  // Σ g · (y* - mean)
    for (int64_t k = 0; k < taps; ++k) product += weight[k * channels + channel] * (of_tap(k) + g * center[k]);
    for (int64_t k = 0; k < taps; ++k) {
      const double winners = of_tap(k) + g * (center[k] - through * moments[k]);
      const double spread = covariance(moments, weight, taps, k, channel, channels);
      dweight[k * channels + channel] =
          static_cast<float>(scale * (winners - through * product * inverse * inverse * spread));
    }
    dgamma[channel] = static_cast<float>(product * inverse);
    dbeta[channel] = static_cast<float>(g);
  });
}

void backward(Stream& stream, const BlockProblem& problem, ConstView x, ConstView weight, ConstView gamma,
              ConstView beta, ConstView mean, ConstView variance, ConstView moments, ConstView dz, View dx,
              View dweight, View dgamma, View dbeta) {
  expect_sizes(problem);
  const int64_t taps_there = problem.conv.taps(), channels = problem.conv.o;
  const Scales scales(stream, problem.epsilon, gamma, variance);
  const Buffer center_memory = stream.workspace(taps_there * size_of(DType::f32)),
               sum_memory = stream.workspace((1 + taps_there) * channels * size_of(DType::f32));
  const Global<float> center = global<float>(center_memory), sums = global<float>(sum_memory);
  launch<first_block_center_kernel>(striding_blocks(taps_there, threads), threads, 0, stream, taps_there,
                                    global<const double>(moments), center);
  with_taps(problem.conv, [&]<int taps>() {
    const FirstBlock<taps> block(problem, x, weight, gamma, beta, mean, scales.view());
    reduce_columns(stream, 1, block.windows, block.lanes.divisor(),
                   FirstWinnerSums<taps>{block, global<const float>(dz), center}, StoreWinnerSums<taps>{block, sums});
  });
  launch<first_block_gradient_kernel>(striding_blocks(channels, threads), threads, 0, stream, taps_there, channels,
                                      problem.epsilon, problem.own_statistics ? 1.0 : 0.0, global<const float>(weight),
                                      global<const float>(gamma), global<const float>(mean),
                                      global<const float>(variance), center, global<const double>(moments), sums,
                                      global<float>(dweight), global<float>(dgamma), global<float>(dbeta));
  if (dx.data == nullptr) return;
  with_taps(problem.conv, [&]<int taps>() {
    const FirstBlock<taps> block(problem, x, weight, gamma, beta, mean, scales.view());
    backward_data<taps>(stream, problem, block, variance, weight, dz, dgamma, dbeta, dx);
  });
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(FirstBlockFunctions, first_block, statistics, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
