// Batch normalisation, ReLU and max pooling of a convolution's output in one; kernels/norm_pool.h has the definition.
//
// Algorithm: y is cut into tiles, one a pooling window. Forward, a thread walks over a tile of one channel: it adds what it
// sees to the sums of the statistics (kernels/cuda/channel_statistics.h) and keeps the largest or smallest, which needs no
// statistics. So y is read once, and a pass over the small y* makes z of it. Backward, the sums come from y* and dz alone,
// and one pass over y writes dy: every element gets the part through mean and variance, the winner of a window its dz.
// Bottleneck: global memory: forward one read of y, backward one read of y and one write of dy, which is as many bytes.
// Launch: the sums as kernels/cuda/columns.h says, with tiles for rows; the passes are blocks of 256 threads, enough to
// fill the GPU, neighbouring threads on neighbouring channels.
#include "kernels/norm_pool.h"

#include "kernels/cuda/map.h"
#include "kernels/cuda/pool_tiles.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;

// ---- forward

// Reduces like ShiftedSums of batch norm, and on its way over a window writes y* and the winner's place.
struct PoolingSums : SumOfTwo {
  Tiles tiles;
  Global<const float> y, gamma;
  Global<float> pooled;
  Global<uint8_t> argmax;

  PoolingSums(const Pool2dProblem& p, ConstView of_y, ConstView of_gamma, View to_pooled, View to_argmax)
      : tiles(p),
        y(global<const float>(of_y)),
        gamma(global<const float>(of_gamma)),
        pooled(global<float>(to_pooled)),
        argmax(global<uint8_t>(to_argmax)) {}

  __device__ void add(TwoSums& sums, int64_t, int64_t index, int64_t channel) const {
    const Tile tile = tiles.tile(index);
    const float shift = y[channel];
    const bool smallest = gamma[channel] < 0.0f;
    TwoSums of_tile = none();  // by itself first: sums of sums lose fewer digits
    float best = 0.0f;
    int winner = 0;
    tiles.for_each(tile, [&](int64_t pixel, int place) {
      const float value = y[pixel * tiles.channels.divisor() + channel], difference = value - shift;
      of_tile.first += difference;
      of_tile.second += difference * difference;
      if (place == 0 || (smallest ? value < best : value > best)) {
        best = value;
        winner = place;
      }
    });
    sums = combine(sums, of_tile);
    if (!tiles.is_window(tile)) return;
    pooled[tiles.output(tile, channel)] = best;
    argmax[tiles.output(tile, channel)] = static_cast<uint8_t>(winner);
  }
};

__global__ void __launch_bounds__(threads)
    norm_pool_forward_kernel(int64_t n, Divider channels, bool relu, Global<const float> pooled,
                             Global<const float> mean, Coefficients coefficients, Global<float> z) {
  for_each_index(n, [&](int64_t i) {
    int64_t row = i;
    const int64_t channel = channels.split(row);
    const float normal = (pooled[i] - mean[channel]) * coefficients.get(Coefficients::scale, channel) +
                         coefficients.get(Coefficients::offset, channel);
    z[i] = relu && normal < 0.0f ? 0.0f : normal;  // a NaN stays
  });
}

void forward(Stream& stream, const NormPoolProblem& problem, ConstView y, ConstView gamma, ConstView beta, View z,
             View pooled, View argmax, View mean, View variance) {
  const Pool2dProblem& p = problem.pool;
  if (p.c == 0) return;
  const Buffer memory = coefficient_memory(stream, p.c);
  const Coefficients coefficients{global<float>(memory), p.c};
  const StoreStatistics store{global<const float>(y),
                              global<const float>(gamma),
                              global<const float>(beta),
                              global<float>(mean),
                              global<float>(variance),
                              coefficients,
                              static_cast<double>(p.n * p.h * p.w),
                              problem.epsilon};
  const PoolingSums source(p, y, gamma, pooled, argmax);
  reduce_columns(stream, 1, source.tiles.count, p.c, source, store);
  launch<norm_pool_forward_kernel>(striding_blocks(z.numel(), threads), threads, 0, stream, z.numel(), Divider(p.c),
                                   problem.relu, global<const float>(pooled), global<const float>(mean), coefficients,
                                   global<float>(z));
}

// ---- backward

// `g` is the gradient at the winners.
__global__ void __launch_bounds__(threads)
    norm_pool_backward_kernel(Tiles tiles, int64_t n, Coefficients coefficients, Global<const float> y,
                              Global<const float> mean, Global<const float> g, Global<const uint8_t> argmax,
                              Global<float> dy) {
  for_each_index(n, [&](int64_t i) {
    Tile tile{i, 0, 0};
    const int64_t channel = tiles.channels.split(tile.sample);
    tile.column = tiles.columns.length.split(tile.sample);
    tile.row = tiles.rows.length.split(tile.sample);
    const int64_t column = tiles.columns.size.split(tile.column), row = tiles.rows.size.split(tile.row);  // in the tile
    float value = (y[i] - mean[channel]) * coefficients.get(Coefficients::slope, channel) +
                  coefficients.get(Coefficients::offset, channel);
    if (tiles.is_window(tile)) {
      const int64_t output = tiles.output(tile, channel);
      if (argmax[output] == row * tiles.columns.size.divisor() + column)
        value += g[output] * coefficients.get(Coefficients::scale, channel);
    }
    dy[i] = value;
  });
}

void backward(Stream& stream, const NormPoolProblem& problem, ConstView y, ConstView gamma, ConstView beta,
              ConstView mean, ConstView variance, ConstView pooled, ConstView argmax, ConstView dz, View dy,
              View dgamma, View dbeta) {
  const Pool2dProblem& p = problem.pool;
  if (p.c == 0) return;
  const Buffer memory = coefficient_memory(stream, p.c), g = stream.workspace(dz.bytes());
  const Coefficients coefficients{global<float>(memory), p.c};
  const View scale{memory.data(), {p.c}, DType::f32, stream.device()};  // the first of the coefficients
  map(stream, NormScale{problem.epsilon}, scale, gamma, variance);
  const PooledGradient gradient{global<const float>(pooled),
                                global<const float>(dz),
                                global<const float>(mean),
                                coefficients.row(Coefficients::scale),
                                global<const float>(beta),
                                p.c,
                                BlockActivation(problem.relu ? Activation::relu : Activation::linear)};
  const StoreGradients store{global<const float>(gamma),
                             global<const float>(variance),
                             global<float>(dgamma),
                             global<float>(dbeta),
                             coefficients,
                             static_cast<double>(p.n * p.h * p.w),
                             problem.epsilon};
  reduce_columns(stream, 1, dz.numel() / p.c, p.c, WinnerSums(gradient, global<float>(g)), store);
  launch<norm_pool_backward_kernel>(striding_blocks(y.numel(), threads), threads, 0, stream, Tiles(p), y.numel(),
                                    coefficients, global<const float>(y), global<const float>(mean),
                                    global<const float>(g), global<const uint8_t>(argmax), global<float>(dy));
}

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(NormPoolFunctions, norm_pool, forward, backward)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
