// The gradient of what a first block reads, for the few who want it: dy is stored, and the convolution's product makes dx.
#pragma once

#include "kernels/cuda/conv2d_product.h"
#include "kernels/cuda/first_block_windows.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

inline constexpr int first_block_threads = 256;

// What reaches all positions through mean and variance, from dgamma and dbeta.
template <int taps>
__global__ void __launch_bounds__(first_block_threads)
    first_block_dense_kernel(FirstBlock<taps> block, ConvShape shape, int64_t n, Divider channels, double factor,
                             Global<const float> variance, Global<const float> dgamma, Global<const float> dbeta,
                             double epsilon, Global<float> dy) {
  for_each_index(n, [&](int64_t i) {
    int64_t pixel = i;
    const int64_t channel = channels.split(pixel);
    const PixelStart start = start_of_pixel(shape, pixel);
    float y = 0.0f;
    for (int64_t k = 0; k < shape.taps(); ++k)
      y += patch_element(shape, block.x, start, place_in_patch(shape, k, 0)) *
           block.weight[k * channels.divisor() + channel];
    const double normal = (y - block.mean[channel]) * inverse_deviation(variance[channel], epsilon);
    dy[i] = static_cast<float>(-factor * block.scale[channel] * (dbeta[channel] + normal * dgamma[channel]));
  });
}

// Adds what reaches the winners.
template <int taps>
__global__ void __launch_bounds__(first_block_threads)
    first_block_winner_kernel(FirstBlock<taps> block, int64_t h_out, int64_t w_out, Global<const float> dz,
                              Global<float> dy) {
  for_each_index(block.windows * block.lanes.divisor(), [&](int64_t window) {
    const int64_t lane = block.lanes.split(window);
    const typename FirstBlock<taps>::Winners winners = block.winners(window, lane);
    const int32_t sample = static_cast<int32_t>(winners.at[0].sample / (int64_t{block.h} * block.w));
    MELGRAD_UNROLL
    for (int j = 0; j < block.own; ++j) {
      const int64_t channel = block.channel(lane, j);
      if (channel >= block.channels) continue;
      const int64_t row = (winners.at[j].row + block.rows.pad_before) / block.rows.stride,
                    column = (winners.at[j].column + block.columns.pad_before) / block.columns.stride;
      const float g = block.f.gradient(block.z(winners.y[j], channel), dz[window * block.channels + channel]);
      dy[((sample * h_out + row) * w_out + column) * block.channels + channel] += g * block.scale[channel];
    }
  });
}

template <int taps>
void backward_data(Stream& stream, const BlockProblem& problem, const FirstBlock<taps>& block, ConstView variance,
                   ConstView weight, ConstView dz, ConstView dgamma, ConstView dbeta, View dx) {
  const Conv2dProblem& p = problem.conv;
  const int64_t n = p.y_shape().numel();
  const Buffer memory = stream.workspace(n * size_of(DType::f32));
  const Global<float> dy = global<float>(memory);
  const ConvShape shape(p);
  const double factor = problem.own_statistics ? 1 / static_cast<double>(problem.positions()) : 0.0;
  launch<first_block_dense_kernel<taps>>(striding_blocks(n, first_block_threads), first_block_threads, 0, stream, block,
                                         shape, n, Divider(p.o), factor, global<const float>(variance),
                                         global<const float>(dgamma), global<const float>(dbeta), problem.epsilon, dy);
  launch<first_block_winner_kernel<taps>>(striding_blocks(block.windows * block.lanes.divisor(), first_block_threads),
                                          first_block_threads, 0, stream, block, p.h_out(), p.w_out(),
                                          global<const float>(dz), dy);
  product<Units::cuda_cores>(stream, p, PatchesOfGradient{shape, dy}, 0,
                             WeightTransposed{shape, global<const float>(weight)}, 0, dx, 1, p.taps() * p.o);
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
