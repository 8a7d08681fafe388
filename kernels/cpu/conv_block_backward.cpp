// A fused block backward: dy is rebuilt and transformed once for both gradients of the convolution. A block of tiles of
// A·dy is the left operand of the data gradient's products and the right one of the weight gradient's; Bᵀ·x comes from x
// as it lay, norm and activation of the block before included. Bottleneck: multiply-adds; of memory, one read of y, dz and
// x and one write of dx.
#include <cmath>
#include <vector>

#include "kernels/cpu/conv_block.h"
#include "kernels/cpu/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv_block_backward.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/block_gradient-inl.h"
#include "kernels/cpu/block_source-inl.h"
#include "kernels/cpu/winograd_weights-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {
namespace {

template <class F>
struct Backward {
  Conv2dProblem p;
  const BlockSource& source;
  const BlockGradient& gradient;
  float* dx;  // or null
  int64_t taps, in_blocks, out_blocks, gradient_pad;
  std::vector<TileBlock> blocks;
  int64_t room;
  bool stream_dx;  // past the caches: dx is larger than they are

  Backward(const Conv2dProblem& problem, const BlockSource& x, const BlockGradient& dy, float* result)
      : p(problem),
        source(x),
        gradient(dy),
        dx(result),
        taps(p.rows.size),
        in_blocks(channel_blocks(p.c)),
        out_blocks(channel_blocks(p.o)),
        gradient_pad(taps - 1 - p.rows.pad_before),
        blocks(tile_blocks(p.n, p.h, tiles(), taps, std::max(p.c, p.o), true)),
        room(largest_source(blocks, taps)),
        stream_dx(p.n * p.h * p.w * p.c * static_cast<int64_t>(sizeof(float)) > cached_bytes) {}

  int64_t tiles() const { return (p.w_out() + F::outputs - 1) / F::outputs; }
  int64_t source_floats() const { return F::points * in_blocks * room * block_width(); }
  int64_t gradient_floats() const { return F::points * out_blocks * room * block_width(); }
  int64_t pairs() const { return F::points * out_blocks; }
  int64_t steps() const { return pairs() * taps * in_blocks * block_width() / gradient_rows; }  // of a weight gradient
  int64_t sum_floats() const { return taps * in_blocks * block_width() * block_width(); }       // of a pair

  void transform_source(const TileBlock& block, float* v, int64_t first, int64_t last) const {
    const TileBuffer buffer{v, room, in_blocks};
    const auto row_of = [&](int64_t sample, int64_t row, int64_t channel, int64_t count, float* to) {
      source.transform<F>(block, p.columns.pad_before, sample, row, channel, count, to, buffer.point_stride());
    };
    transform_block<F>(block, taps, p.rows.pad_before, p.h, p.c, buffer, first, last, row_of);
  }

  void transform_dy(const TileBlock& block, float* g, int64_t first, int64_t last) const {
    const TileBuffer buffer{g, room, out_blocks};
    const auto row_of = [&](int64_t sample, int64_t row, int64_t channel, int64_t count, float* to) {
      gradient.transform<F>(block, sample, row, channel, count, to, buffer.point_stride());
    };
    transform_block<F>(block, taps, gradient_pad, p.h, p.o, buffer, first, last, row_of);
  }

  // dx of input channels of block `ib`. `ahead` is fetched meanwhile.
  void data(const TileBlock& block, float* g, int64_t ib, const float* u, Ahead& ahead) const {
    const int64_t width = block_width();
    const TileBuffer buffer{g, room, out_blocks};
    const std::vector<int64_t> offsets = operand_offsets(block, buffer, taps, true);
    float* products = thread_scratch(Scratch::products, product_floats(block, F::points));
    HWY_ALIGN float carry[2][2 * HWY_MAX_BYTES / sizeof(float)];
    const auto finish = [&](int64_t sample, int64_t row, int64_t tile, int64_t count, const float* m, int64_t stride) {
      if (tile == block.tile) std::fill_n(&carry[0][0], sizeof(carry) / sizeof(float), 0.0f);
      for (int half = 0; half < 2; ++half) {
        const int64_t channel = ib * width + half * lane_total(), lanes = p.c - channel;
        if (lanes <= 0) break;
        float* out = dx + (sample * p.h + row) * p.w * p.c + channel;
        const auto run = [&](const auto& store) {
          finish_input_gradient<F>(m + half * lane_total(), stride, p.w, p.columns.pad_before, tile, count,
                                   block.halo && tile == block.tile, tile + count == tiles(), carry[half], store);
        };
        if (stream_dx && p.c % lane_total() == 0)
          run([&](int64_t column, WinogradVector value) { hn::Stream(value, WinogradTag(), out + column * p.c); });
        else
          run([&](int64_t column, WinogradVector value) { store_lanes(value, out + column * p.c, lanes); });
      }
    };
    multiply_block<F>(block, {buffer, taps, offsets.data()}, u, products, finish, [&] { ahead.fetch(); });
    if (stream_dx) hwy::FlushStream();
  }

  // The block's part of a pair (point, output block) of the weight gradient's sums. `ahead` is fetched meanwhile.
  void weight(const TileBlock& block, float* v, float* g, int64_t pair, float* sums, bool accumulate,
              Ahead& ahead) const {
    weight_gradient_of_block(block, taps, {v, room, in_blocks}, {g, room, out_blocks},
                             {source_rows(block, taps), gradient_pad}, pair / out_blocks, pair % out_blocks,
                             sums + pair * sum_floats(), accumulate, [&] { ahead.fetch(); });
  }
};

template <class F>
void backward_by(Stream& stream, const Backward<F>& work, const float* weight, float* dweight) {
  const Conv2dProblem& p = work.p;
  const auto count = static_cast<int64_t>(work.blocks.size());
  const bool shared = shares_blocks(work.blocks), wanted = work.dx != nullptr;
  const int64_t chunks = shared ? 1 : weight_chunks, chunk_floats = work.pairs() * work.sum_floats();
  const int64_t v_size = work.source_floats(), g_size = work.gradient_floats();
  const int64_t u_size = packed_weight_floats<F>(work.taps, p.o);
  const auto floats = [&](int64_t n) { return stream.workspace(n * static_cast<int64_t>(sizeof(float))); };
  const Buffer weights = floats(wanted ? work.in_blocks * u_size : 0), sum_buffer = floats(chunks * chunk_floats);
  float *u = static_cast<float*>(weights.data()), *sums = static_cast<float*>(sum_buffer.data());
  if (wanted)
    stream.threads().run(work.in_blocks, [&](int64_t ib) { pack_weights<F>(p, weight, true, ib, u + ib * u_size); });
  if (shared) {
    const Buffer tiles = floats(count * (v_size + g_size));
    const auto v = [&](int64_t i) { return static_cast<float*>(tiles.data()) + i * (v_size + g_size); };
    stream.threads().run(count * (work.in_blocks + work.out_blocks), [&](int64_t task) {
      const int64_t i = task % count, c = task / count, o = c - work.in_blocks;
      if (o < 0)
        work.transform_source(work.blocks[i], v(i), c, c + 1);
      else
        work.transform_dy(work.blocks[i], v(i) + v_size, o, o + 1);
    });
    stream.threads().run(work.pairs() + (wanted ? count * work.in_blocks : 0), [&](int64_t task) {
      Ahead nothing;
      if (const int64_t rest = task - work.pairs(); rest >= 0)
        return work.data(work.blocks[rest % count], v(rest % count) + v_size, rest / count, u + rest / count * u_size,
                         nothing);
      for (int64_t i = 0; i < count; ++i) work.weight(work.blocks[i], v(i), v(i) + v_size, task, sums, i > 0, nothing);
    });
  } else {
    stream.threads().run(chunks, [&](int64_t chunk) {
      float* v = thread_scratch(Scratch::tiles, v_size);
      float* g = thread_scratch(Scratch::gradient_tiles, g_size);
      const int64_t begin = count * chunk / chunks, end = count * (chunk + 1) / chunks;
      Ahead ahead;
      for (int64_t i = begin; i < end; ++i) {
        work.transform_dy(work.blocks[i], g, 0, work.out_blocks);
        ahead.clear();
        work.source.template fetch<F>(work.blocks[i], work.taps, p.rows.pad_before, p.columns.pad_before, ahead);
        ahead.spread(work.in_blocks * product_steps(work.blocks[i], F::points));
        for (int64_t ib = 0; wanted && ib < work.in_blocks; ++ib)
          work.data(work.blocks[i], g, ib, u + ib * u_size, ahead);
        work.transform_source(work.blocks[i], v, 0, work.in_blocks);
        ahead.clear();
        if (i + 1 < end) work.gradient.template fetch<F>(work.blocks[i + 1], work.taps, work.gradient_pad, ahead);
        ahead.spread(work.steps());
        for (int64_t pair = 0; pair < work.pairs(); ++pair)
          work.weight(work.blocks[i], v, g, pair, sums + chunk * chunk_floats, i > begin, ahead);
      }
    });
  }
  stream.threads().run(work.out_blocks, [&](int64_t ob) { unpack_weight_gradient<F>(p, sums, chunks, ob, dweight); });
}

void block_backward_here(Stream& stream, const BlockProblem& problem, const BlockInput& x, const float* weight,
                         const float* gamma, const BlockState& state, const float* dz, float* dx, float* dweight,
                         float* dgamma, float* dbeta) {
  BlockGradient gradient(problem, state, dz);
  gradient.gather(stream, gamma, dgamma, dbeta);
  const BlockSource source(problem.conv, x);
  if (fewest_products(problem.conv) == 4)
    return backward_by<F43>(stream, {problem.conv, source, gradient, dx}, weight, dweight);
  backward_by<F63>(stream, {problem.conv, source, gradient, dx}, weight, dweight);
}

}  // namespace
}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {

HWY_EXPORT(block_backward_here);

void block_backward(Stream& stream, const BlockProblem& problem, const BlockInput& x, const float* weight,
                    const float* gamma, const BlockState& state, const float* dz, float* dx, float* dweight,
                    float* dgamma, float* dbeta) {
  HWY_DYNAMIC_DISPATCH(block_backward_here)
  (stream, problem, x, weight, gamma, state, dz, dx, dweight, dgamma, dbeta);
}

}  // namespace melgrad::cpu
#endif
