// A fused block: convolution, batch norm, activation, max pool; kernels/conv_block.h has the definition.
//
// Forward: the convolution's product (kernels/cuda/gemm.h) over pixels in the order of the pool's windows. A tile of y lies
// in shared memory when it is done, and what follows is taken from there: y itself, the sums of the statistics around the
// tile's first number, each window's largest or smallest y and its place. One more launch adds the tiles' sums, in order,
// and makes the norm that y* waits for. Inference has the norm in its weights (fold) and writes z alone.
// Backward: the sums over winners need y* and dz alone. Both gradients of the convolution are its products again, for which
// dy is rebuilt as it is loaded (conv_block_operands.h).
// Bottleneck: the multiplier with many channels. Of y memory sees one write forward, and reads backward of which the caches
// serve all but the first of a tap.
// Launch: products as in conv2d.cu, with 16 KB of shared memory more forward; a tile is as many windows as fit in its lines.
#include "kernels/conv_block.h"

#include "kernels/cuda/conv2d_product.h"
#include "kernels/cuda/conv_block_operands.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;

// A thread's walk over its windows: the larger or smaller of what it has seen, and where.
struct Winner {
  bool smallest;
  float best = 0.0f;
  int place = 0;

  __device__ __forceinline__ void see(float value, int at) {
    if (at != 0 && !(smallest ? value < best : value > best)) return;
    best = value;
    place = at;
  }
};

// ---- what is done with a tile of y

// Sums of a tile's channel around its first number.
struct TileSums {
  float count, shift, first, second;
};

struct TrainingFinish {
  Tiles tiles;
  Global<const float> gamma;
  Global<float> y, pooled;
  Global<uint8_t> argmax;
  Global<TileSums> sums;  // (blocks, channels)

  static constexpr bool sums_up = true;
  __device__ __forceinline__ void store(int64_t pixel, int64_t channel, float value) const {
    y[pixel * tiles.channels.divisor() + channel] = value;
  }
  __device__ __forceinline__ bool smallest(int64_t channel) const { return gamma[channel] < 0.0f; }
  __device__ __forceinline__ void finish(const Tile& tile, int64_t channel, const Winner& winner) const {
    const int64_t output = tiles.output(tile, channel);
    pooled[output] = winner.best;
    argmax[output] = static_cast<uint8_t>(winner.place);
  }
};

// Scale is in the weights, so the largest wins.
struct InferenceFinish {
  Tiles tiles;
  Global<const float> shift;
  BlockActivation f;
  Global<float> z;

  static constexpr bool sums_up = false;
  __device__ __forceinline__ void store(int64_t, int64_t, float) const {}
  __device__ __forceinline__ bool smallest(int64_t) const { return false; }
  __device__ __forceinline__ void finish(const Tile& tile, int64_t channel, const Winner& winner) const {
    z[tiles.output(tile, channel)] = f(winner.best + shift[channel]);
  }
};

template <class GemmTile, class Finish>
__global__ void __launch_bounds__(gemm_threads, 2)
    conv_block_kernel(PatchesByWindow patches, RowsOfChannels weight, int64_t windows_per_block, Finish finish) {
  constexpr int groups = gemm_threads / GemmTile::b;  // of threads, which take a channel's windows in turn
  __shared__ SharedArray<float, GemmTile::a, GemmTile::b> results;
  const int64_t first_window = blockIdx.x * windows_per_block, first_channel = int64_t{blockIdx.y} * GemmTile::b;
  const int64_t first_line = first_window * patches.window_size.divisor();
  multiply_tile<GemmTile>(
      patches, weight, first_line, first_channel, 0, weight.steps,
      [&](int64_t line, int64_t channel, float sum) { results[line - first_line][channel - first_channel] = sum; });
  __syncthreads();

  const int lane = static_cast<int>(threadIdx.x) % GemmTile::b, group = static_cast<int>(threadIdx.x) / GemmTile::b;
  const int64_t channel = first_channel + lane;
  const bool has_channel = channel < weight.lines;
  const float shift = results[0][lane];
  TwoSums sums{0.0f, 0.0f};
  float count = 0.0f;
  if (has_channel) {
    const int64_t windows = std::min(windows_per_block, patches.tiles.count - first_window);
    for (int64_t window = group; window < windows; window += groups) {
      const Tile tile = patches.tiles.tile(first_window + window);
      const int64_t line = window * patches.window_size.divisor();
      Winner winner{finish.smallest(channel)};
      patches.tiles.for_each(tile, [&](int64_t pixel, int place) {
        const float value = results[line + place][lane];
        finish.store(pixel, channel, value);
        winner.see(value, place);
        sums.first += value - shift;
        sums.second += (value - shift) * (value - shift);
        count += 1.0f;
      });
      if (patches.tiles.is_window(tile)) finish.finish(tile, channel, winner);
    }
  }
  if constexpr (Finish::sums_up) {
    __shared__ SharedArray<TileSums, groups, GemmTile::b> partial;
    partial[group][lane] = TileSums{count, shift, sums.first, sums.second};
    __syncthreads();
    if (group != 0 || !has_channel) return;
    for (int other = 1; other < groups; ++other) {
      const TileSums more = partial[other][lane];
      count += more.count;
      sums = SumOfTwo::combine(sums, {more.first, more.second});
    }
    finish.sums[blockIdx.x * weight.lines + channel] = TileSums{count, shift, sums.first, sums.second};
  }
}

template <class MakeFinish>
void run_forward(Stream& stream, const BlockProblem& p, const BlockInput& x, const RowsOfChannels& weight,
                 const MakeFinish& make_finish) {
  const PatchesByWindow patches(p, x);
  if (patches.tiles.count == 0) return;
  with_tile(p.conv.o, [&]<class GemmTile>() {
    const int64_t windows_per_block = GemmTile::a / patches.window_size.divisor();
    const dim3 grid(blocks_for(patches.tiles.count, windows_per_block), blocks_for(p.conv.o, GemmTile::b));
    make_finish(patches.tiles, int64_t{grid.x}, [&]<class Finish>(const Finish& finish) {
      launch<conv_block_kernel<GemmTile, Finish>>(grid, gemm_threads, 0, stream, patches, weight, windows_per_block,
                                                  finish);
    });
  });
}

// ---- training

// Adds tiles' sums, moved to one shift: the mean of the first tile, whose first number may lie far from the rest in the
// padding.
struct SumsOfTiles : SumOfTwo {
  Global<const TileSums> tiles;
  int64_t channels;

  SumsOfTiles(Global<const TileSums> sums, int64_t of_tile) : tiles(sums), channels(of_tile) {}
  __device__ __forceinline__ float shift(int64_t channel) const {
    const TileSums first = tiles[channel];
    return first.shift + first.first / first.count;
  }
  __device__ void add(TwoSums& sums, int64_t, int64_t row, int64_t channel) const {
    const TileSums tile = tiles[row * channels + channel];
    const float moved = tile.shift - shift(channel);
    sums.first += tile.first + tile.count * moved;
    sums.second += tile.second + moved * (2.0f * tile.first + tile.count * moved);
  }
};

struct StoreNorm {
  SumsOfTiles tiles;
  Global<const float> gamma, beta;
  Global<float> mean, variance, scale, shift;
  double positions, epsilon;

  __device__ void operator()(int64_t, int64_t, int64_t channel, TwoSums sums) const {
    const ExactStatistics exact(sums, tiles.shift(channel), positions);
    const auto rounded = static_cast<float>(exact.mean);
    const double factor = gamma[channel] * inverse_deviation(exact.variance, epsilon);
    mean[channel] = rounded;
    variance[channel] = static_cast<float>(exact.variance);
    scale[channel] = static_cast<float>(factor);
    shift[channel] = static_cast<float>(beta[channel] + factor * (rounded - exact.mean));
  }
};

void forward(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView weight, ConstView gamma,
             ConstView beta, View y, View pooled, View argmax, View mean, View variance, View scale, View shift) {
  const int64_t channels = problem.conv.o;
  expect_places(problem.conv);
  run_forward(stream, problem, x, weight_rows(problem.conv, weight),
              [&](const Tiles& tiles, int64_t blocks, const auto& run) {
                const Buffer memory = stream.workspace(blocks * channels * static_cast<int64_t>(sizeof(TileSums)));
                run(TrainingFinish{tiles, global<const float>(gamma), global<float>(y), global<float>(pooled),
                                   global<uint8_t>(argmax), global<TileSums>(memory)});
                const SumsOfTiles sums(global<TileSums>(memory), channels);
                const StoreNorm store{sums,
                                      global<const float>(gamma),
                                      global<const float>(beta),
                                      global<float>(mean),
                                      global<float>(variance),
                                      global<float>(scale),
                                      global<float>(shift),
                                      static_cast<double>(problem.positions()),
                                      problem.epsilon};
                reduce_columns(stream, 1, blocks, channels, sums, store);
              });
}

void backward(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView weight, ConstView gamma,
              const BlockState& state, ConstView dz, View dx, View dweight, View dgamma, View dbeta) {
  const Conv2dProblem& p = problem.conv;
  expect_places(p);
  const Buffer memory = coefficient_memory(stream, p.o), g = stream.workspace(dz.bytes());
  const Coefficients coefficients{global<float>(memory), p.o};
  const PooledGradient pooled{global<const float>(state.pooled),  global<const float>(dz),
                              global<const float>(state.mean),    global<const float>(state.scale),
                              global<const float>(state.shift),   p.o,
                              BlockActivation(problem.activation)};
  const StoreGradients store{global<const float>(gamma),
                             global<const float>(state.variance),
                             global<float>(dgamma),
                             global<float>(dbeta),
                             coefficients,
                             static_cast<double>(problem.positions()),
                             problem.epsilon};
  reduce_columns(stream, 1, dz.numel() / p.o, p.o, WinnerSums(pooled, global<float>(g)), store);
  const RebuiltGradient dy{Tiles(problem.pool()),  global<const float>(state.y),        global<const float>(state.mean),
                           global<const float>(g), global<const uint8_t>(state.argmax), coefficients};
  const ConvShape shape(p);
  weight_product(stream, p, RowsOfRebuilt{dy, problem.positions()}, PendingPatchesTransposed{shape, PendingInput(x)},
                 dweight);
  if (dx.data == nullptr) return;
  product<Units::cuda_cores>(stream, p, PatchesOfRebuilt{shape, dy}, 0,
                             WeightTransposed{shape, global<const float>(weight)}, 0, dx, p.c, p.taps() * p.o);
}

// ---- inference

// What is folded: the weight times its channel's scale, then beta - scale · mean.
int64_t folded_size(const BlockProblem& problem) {
  return problem.conv.weight_shape().numel() + problem.conv.o;
}

__global__ void __launch_bounds__(threads)
    conv_block_fold_kernel(int64_t weights, Divider channels, double epsilon, Global<const float> weight,
                           Global<const float> gamma, Global<const float> beta, Global<const float> mean,
                           Global<const float> variance, Global<float> folded) {
  for_each_index(weights + channels.divisor(), [&](int64_t i) {
    int64_t row = i;
    const int64_t channel = channels.split(row);
    const double scale = gamma[channel] * inverse_deviation(variance[channel], epsilon);
    folded[i] = static_cast<float>(i < weights ? scale * weight[i] : beta[channel] - scale * mean[channel]);
  });
}

void fold(Stream& stream, const BlockProblem& problem, ConstView weight, ConstView gamma, ConstView beta,
          ConstView mean, ConstView variance, View folded) {
  launch<conv_block_fold_kernel>(striding_blocks(folded.numel(), threads), threads, 0, stream, weight.numel(),
                                 Divider(problem.conv.o), problem.epsilon, global<const float>(weight),
                                 global<const float>(gamma), global<const float>(beta), global<const float>(mean),
                                 global<const float>(variance), global<float>(folded));
}

void infer(Stream& stream, const BlockProblem& problem, const BlockInput& x, ConstView folded, View z) {
  expect_places(problem.conv);
  const Global<const float> all = global<const float>(folded);
  const RowsOfChannels weight{all, problem.conv.o, problem.conv.taps() * problem.conv.c, problem.conv.o};
  run_forward(stream, problem, x, weight, [&](const Tiles& tiles, int64_t, const auto& run) {
    run(InferenceFinish{tiles, all + problem.conv.weight_shape().numel(), BlockActivation(problem.activation),
                        global<float>(z)});
  });
}

// A tile of the product holds a window.
bool applies(const BlockProblem& problem) {
  return problem.pool_rows.size * problem.pool_columns.size <= SquareTile::a;
}
bool reads_first(const BlockProblem&, const BlockProblem&) {
  return false;
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(ConvBlockFunctions, conv_block, applies, reads_first, forward, backward, folded_size, fold,
                         infer)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
