// A fused block forward, in training and in inference: tiles of x are transformed as they are loaded, norm and activation
// of the block before included, multiplied and transformed back into a scratch of one block of channels, and what follows
// the convolution is done there (block_region-inl.h). Bottleneck: multiply-adds; of memory, one read of x and one write of y.
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/cpu/channel_statistics.h"
#include "kernels/cpu/conv_block.h"
#include "kernels/cpu/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv_block_forward.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/block_region-inl.h"
#include "kernels/cpu/block_source-inl.h"
#include "kernels/cpu/winograd_weights-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {
namespace {

// Blocks that start where windows do.
template <class F>
std::vector<TileBlock> forward_blocks(const BlockProblem& problem) {
  const Conv2dProblem& p = problem.conv;
  const int64_t wide = problem.pool_columns.size;
  return tile_blocks(p.n, p.h_out(), (p.w_out() + F::outputs - 1) / F::outputs, p.rows.size, p.c, false,
                     problem.pool_rows.size, wide / std::gcd<int64_t>(wide, F::outputs));
}

// G w of all output blocks, times `scale` where there is one.
template <class F>
void pack_all(Stream& stream, const Conv2dProblem& p, const float* weight, const float* scale, float* u) {
  const int64_t u_size = packed_weight_floats<F>(p.rows.size, p.c);
  stream.threads().run(channel_blocks(p.o),
                       [&](int64_t ob) { pack_weights<F>(p, weight, false, ob, u + ob * u_size, scale); });
}
template <class F>
int64_t all_weight_floats(const Conv2dProblem& p) {
  return channel_blocks(p.o) * packed_weight_floats<F>(p.rows.size, p.c);
}

// finish(number of a block of tiles, its region of y, scratch, first channel) for every block of tiles and channels; u are
// the packed weights.
template <class F, class Finish>
void run_forward(Stream& stream, const BlockProblem& problem, const std::vector<TileBlock>& blocks,
                 const BlockSource& source, const float* u, const Finish& finish) {
  const Conv2dProblem& p = problem.conv;
  const int64_t taps = p.rows.size, in_blocks = channel_blocks(p.c), out_blocks = channel_blocks(p.o);
  const int64_t u_size = packed_weight_floats<F>(taps, p.c), width = block_width();
  const int64_t room = largest_source(blocks, taps), size = F::points * in_blocks * room * width;
  const auto count = static_cast<int64_t>(blocks.size());
  const auto transform = [&](int64_t i, const TileBuffer& buffer, int64_t first, int64_t last) {
    const auto row_of = [&](int64_t sample, int64_t row, int64_t channel, int64_t lanes, float* to) {
      source.transform<F>(blocks[i], p.columns.pad_before, sample, row, channel, lanes, to, buffer.point_stride());
    };
    transform_block<F>(blocks[i], taps, p.rows.pad_before, p.h, p.c, buffer, first, last, row_of);
  };
  const auto multiply = [&](int64_t i, const TileBuffer& buffer, int64_t ob, Ahead& ahead) {
    const TileBlock& block = blocks[i];
    const BlockRegion region(problem.pool(), block, F::outputs);
    const std::vector<int64_t> offsets = operand_offsets(block, buffer, taps, false);
    float* products = thread_scratch(Scratch::products, product_floats(block, F::points));
    float* scratch = thread_scratch(Scratch::results, BlockRegion::floats(block, F::outputs));
    const auto back = [&](int64_t sample, int64_t row, int64_t tile, int64_t tiles, const float* m, int64_t stride) {
      float* to = scratch + ((sample - block.sample) * block.rows + row - block.row) * region.room * width;
      for (int64_t half = 0; half < width; half += lane_total())
        finish_output<F>(m + half, stride, p.w_out(), tile, tiles, [&](int64_t column, WinogradVector value) {
          hn::Store(value, WinogradTag(), to + (column - region.column) * width + half);
        });
    };
    multiply_block<F>(block, {buffer, taps, offsets.data()}, u + ob * u_size, products, back, [&] { ahead.fetch(); });
    finish(i, region, scratch, ob * width);
  };
  if (shares_blocks(blocks)) {
    const Buffer shared = stream.workspace(count * size * static_cast<int64_t>(sizeof(float)));
    const auto buffer = [&](int64_t i) {
      return TileBuffer{static_cast<float*>(shared.data()) + i * size, room, in_blocks};
    };
    stream.threads().run(count * in_blocks, [&](int64_t task) {
      transform(task / in_blocks, buffer(task / in_blocks), task % in_blocks, task % in_blocks + 1);
    });
    stream.threads().run(count * out_blocks, [&](int64_t task) {
      Ahead nothing;
      multiply(task % count, buffer(task % count), task / count, nothing);
    });
    return;
  }
  stream.threads().run(count, [&](int64_t i) {
    const TileBuffer buffer{thread_scratch(Scratch::tiles, size), room, in_blocks};
    transform(i, buffer, 0, in_blocks);
    Ahead ahead;
    if (const int64_t next = i + stream.threads().threads(); next < count)  // most likely this thread's
      source.fetch<F>(blocks[next], taps, p.rows.pad_before, p.columns.pad_before, ahead);
    ahead.spread(out_blocks * product_steps(blocks[i], F::points));
    for (int64_t ob = 0; ob < out_blocks; ++ob) multiply(i, buffer, ob, ahead);
  });
}

template <class F>
void forward_by(Stream& stream, const BlockProblem& problem, const BlockInput& x, const float* weight,
                const float* gamma, const float* beta, float* y, float* pooled, uint8_t* argmax, float* mean,
                float* variance, float* scale, float* shift) {
  const std::vector<TileBlock> blocks = forward_blocks<F>(problem);
  const int64_t channels = problem.conv.o;
  const auto count = static_cast<int64_t>(blocks.size());
  const Buffer buffer = stream.workspace(count * 3 * channels * static_cast<int64_t>(sizeof(float)));
  float* sums = static_cast<float*>(buffer.data());
  const bool large = problem.positions() * channels * static_cast<int64_t>(sizeof(float)) > cached_bytes;
  const TrainingOutputs out{gamma, y, pooled, argmax, large};
  const Buffer weights = stream.workspace(all_weight_floats<F>(problem.conv) * static_cast<int64_t>(sizeof(float)));
  float* u = static_cast<float*>(weights.data());
  pack_all<F>(stream, problem.conv, weight, nullptr, u);
  run_forward<F>(stream, problem, blocks, {problem.conv, x}, u,
                 [&](int64_t i, const BlockRegion& region, const float* scratch, int64_t channel) {
                   finish_training(region, scratch, channel, out, sums + i * 3 * channels);
                 });
  const auto positions = [&](int64_t i) { return BlockRegion(problem.pool(), blocks[i], F::outputs).positions(); };
  for (int64_t c = 0; c < channels; ++c) {
    const ChannelStatistics exact = merge_statistics(count, positions, sums, channels, c);
    mean[c] = static_cast<float>(exact.mean);
    variance[c] = static_cast<float>(exact.variance);
    const double factor = gamma[c] / std::sqrt(static_cast<double>(variance[c]) + problem.epsilon);
    scale[c] = static_cast<float>(factor);
    shift[c] = static_cast<float>(beta[c] + factor * (mean[c] - exact.mean));  // what the mean's rounding moves
  }
}

// Packed weights, then the shift of each channel, whole blocks.
template <class F>
int64_t folded_floats(const Conv2dProblem& p) {
  return all_weight_floats<F>(p) + padded_channels(p.o);
}

template <class F>
void fold_by(Stream& stream, const BlockProblem& problem, const float* weight, const float* gamma, const float* beta,
             const float* mean, const float* variance, float* folded) {
  const Conv2dProblem& p = problem.conv;
  float* shift = folded + all_weight_floats<F>(p);
  std::vector<float> scale(static_cast<std::size_t>(padded_channels(p.o)));
  for (int64_t c = 0; c < padded_channels(p.o); ++c) {
    const bool there = c < p.o;
    const double factor = there ? gamma[c] / std::sqrt(static_cast<double>(variance[c]) + problem.epsilon) : 0.0;
    scale[static_cast<std::size_t>(c)] = static_cast<float>(factor);
    shift[c] = there ? static_cast<float>(beta[c] - factor * mean[c]) : 0.0f;
  }
  pack_all<F>(stream, p, weight, scale.data(), folded);
}

template <class F>
void infer_by(Stream& stream, const BlockProblem& problem, const BlockInput& x, const float* folded, float* z) {
  const InferenceOutputs out{folded + all_weight_floats<F>(problem.conv), BlockActivation(problem.activation), z};
  run_forward<F>(stream, problem, forward_blocks<F>(problem), {problem.conv, x}, folded,
                 [&](int64_t, const BlockRegion& region, const float* scratch, int64_t channel) {
                   finish_inference(region, scratch, channel, out);
                 });
}

void block_forward_here(Stream& stream, const BlockProblem& problem, const BlockInput& x, const float* weight,
                        const float* gamma, const float* beta, float* y, float* pooled, uint8_t* argmax, float* mean,
                        float* variance, float* scale, float* shift) {
  const auto run = fewest_products(problem.conv) == 4 ? forward_by<F43> : forward_by<F63>;
  run(stream, problem, x, weight, gamma, beta, y, pooled, argmax, mean, variance, scale, shift);
}

// Calls run.operator()<F>() with the form for this problem.
template <class Run>
auto with_form(const Conv2dProblem& p, const Run& run) {
  const bool few = fewest_products(p) == 4;
  if (p.columns.size == 2) return few ? run.template operator()<F52>() : run.template operator()<F72>();
  return few ? run.template operator()<F43>() : run.template operator()<F63>();
}

int64_t block_folded_size_here(const BlockProblem& problem) {
  return with_form(problem.conv, [&]<class F>() { return folded_floats<F>(problem.conv); });
}

void block_fold_here(Stream& stream, const BlockProblem& problem, const float* weight, const float* gamma,
                     const float* beta, const float* mean, const float* variance, float* folded) {
  with_form(problem.conv, [&]<class F>() { fold_by<F>(stream, problem, weight, gamma, beta, mean, variance, folded); });
}

void block_infer_here(Stream& stream, const BlockProblem& problem, const BlockInput& x, const float* folded, float* z) {
  with_form(problem.conv, [&]<class F>() { infer_by<F>(stream, problem, x, folded, z); });
}

}  // namespace
}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {

HWY_EXPORT(block_forward_here);
HWY_EXPORT(block_folded_size_here);
HWY_EXPORT(block_fold_here);
HWY_EXPORT(block_infer_here);

void block_forward(Stream& stream, const BlockProblem& problem, const BlockInput& x, const float* weight,
                   const float* gamma, const float* beta, float* y, float* pooled, uint8_t* argmax, float* mean,
                   float* variance, float* scale, float* shift) {
  HWY_DYNAMIC_DISPATCH(block_forward_here)
  (stream, problem, x, weight, gamma, beta, y, pooled, argmax, mean, variance, scale, shift);
}

int64_t block_folded_size(const BlockProblem& problem) {
  return HWY_DYNAMIC_DISPATCH(block_folded_size_here)(problem);
}

void block_fold(Stream& stream, const BlockProblem& problem, const float* weight, const float* gamma, const float* beta,
                const float* mean, const float* variance, float* folded) {
  HWY_DYNAMIC_DISPATCH(block_fold_here)(stream, problem, weight, gamma, beta, mean, variance, folded);
}

void block_infer(Stream& stream, const BlockProblem& problem, const BlockInput& x, const float* folded, float* z) {
  HWY_DYNAMIC_DISPATCH(block_infer_here)(stream, problem, x, folded, z);
}

}  // namespace melgrad::cpu
#endif
