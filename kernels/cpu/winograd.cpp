#include "kernels/cpu/winograd.h"

#include <algorithm>

#include "kernels/cpu/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/winograd.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/winograd_weights-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {
namespace {

float* floats(const Buffer& buffer) {
  return static_cast<float*>(buffer.data());
}
Buffer float_workspace(Stream& stream, int64_t count) {
  return stream.workspace(count * static_cast<int64_t>(sizeof(float)));
}

// One image of the problem: what is transformed, or what results.
struct Image {
  int64_t rows, columns, channels;
  float* at(float* data, int64_t sample, int64_t row, int64_t channel) const {
    return data + (sample * rows + row) * columns * channels + channel;
  }
  const float* at(const float* data, int64_t sample, int64_t row, int64_t channel) const {
    return data + (sample * rows + row) * columns * channels + channel;
  }
};

// A sweep over all tiles in the direction of y or of dx: transform `from`, multiply by the packed weights, transform back
// into `to`.
template <class F>
struct Sweep {
  Conv2dProblem p;
  bool backward;  // dy to dx
  WinogradFinish ending;
  Image from, to;

  Sweep(const Conv2dProblem& problem, bool backward_data, const WinogradFinish& finish = {})
      : p(problem), backward(backward_data), ending(finish), from{p.h, p.w, p.c}, to{p.h_out(), p.w_out(), p.o} {
    if (backward) std::swap(from, to);
  }

  int64_t tiles() const { return (p.w_out() + F::outputs - 1) / F::outputs; }
  int64_t row_pad() const { return backward ? p.rows.size - 1 - p.rows.pad_before : p.rows.pad_before; }

  void transform(const TileBlock& block, const TileBuffer& buffer, const float* data, int64_t first,
                 int64_t last) const {
    const auto row_of = [&](int64_t sample, int64_t row, int64_t channel, int64_t count, float* out) {
      const float* source = from.at(data, sample, row, channel);
      const auto load = [&](int64_t column) { return load_lanes(source + column * from.channels, count); };
      if (backward)
        transform_gradient<F>(load, from.columns, block.tile, block.tiles, out, buffer.point_stride());
      else
        transform_input<F>(load, from.columns, p.columns.pad_before, block.tile, block.tiles, out,
                           buffer.point_stride());
    };
    transform_block<F>(block, p.rows.size, row_pad(), from.rows, from.channels, buffer, first, last, row_of);
  }

  void multiply(const TileBlock& block, const TileBuffer& buffer, int64_t out_block, const float* u,
                float* data) const {
    const int64_t width = block_width();
    const std::vector<int64_t> offsets = operand_offsets(block, buffer);
    float* products = thread_scratch(Scratch::products, product_floats(block, F::points));
    HWY_ALIGN float carry[2][2 * HWY_MAX_BYTES / sizeof(float)];
    const auto finish = [&](int64_t sample, int64_t row, int64_t tile, int64_t count, const float* m, int64_t stride) {
      if (tile == block.tile) std::fill_n(&carry[0][0], sizeof(carry) / sizeof(float), 0.0f);
      for (int half = 0; half < 2; ++half) {
        const int64_t channel = out_block * width + half * lane_total(), lanes = to.channels - channel;
        if (lanes <= 0) break;
        float* out = to.at(data, sample, row, channel);
        const auto store = [&](int64_t column, WinogradVector value) {
          store_lanes(value, out + column * to.channels, lanes);
        };
        const WinogradTag d;
        const auto bias = ending.bias == nullptr ? hn::Zero(d) : load_lanes(ending.bias + channel, lanes);
        const auto floor = hn::Set(d, ending.floor);
        const auto store_last = [&](int64_t column, WinogradVector value) {
          value = hn::Add(value, bias);
          store(column, hn::IfThenElse(hn::Lt(value, floor), floor, value));
        };
        const float* part = m + half * lane_total();
        if (backward)
          finish_input_gradient<F>(part, stride, to.columns, p.columns.pad_before, tile, count,
                                   block.halo && tile == block.tile, tile + count == tiles(), carry[half], store);
        else
          finish_output<F>(part, stride, to.columns, tile, count, store_last);
      }
    };
    multiply_block<F>(block, {buffer, p.rows.size, offsets.data()}, u, products, finish);
  }

  std::vector<int64_t> operand_offsets(const TileBlock& block, const TileBuffer& buffer) const {
    std::vector<int64_t> offsets;
    for (int64_t tap = 0; tap < p.rows.size; ++tap)
      for (int64_t c = 0; c < buffer.channel_count; ++c) {
        const int64_t row = backward ? p.rows.size - 1 - tap : tap;
        offsets.push_back(row * block.tiles * block_width() + c * buffer.channel_stride());
      }
    return offsets;
  }
};

template <class F>
void run_sweep(Stream& stream, const Sweep<F>& sweep, const float* data, const float* weight, float* result) {
  const Conv2dProblem& p = sweep.p;
  const int64_t taps = p.rows.size, in_blocks = channel_blocks(sweep.from.channels);
  const int64_t out_blocks = channel_blocks(sweep.to.channels),
                u_size = packed_weight_floats<F>(taps, sweep.from.channels);
  const std::vector<TileBlock> blocks =
      tile_blocks(p.n, sweep.to.rows, sweep.tiles(), taps, sweep.from.channels, sweep.backward);
  const Buffer weights = float_workspace(stream, out_blocks * u_size);
  float* u = floats(weights);
  stream.threads().run(out_blocks,
                       [&](int64_t ob) { pack_weights<F>(p, weight, sweep.backward, ob, u + ob * u_size); });

  int64_t room = 0;  // tiles of the largest block
  for (const TileBlock& block : blocks) room = std::max(room, source_tiles(block, taps));
  const int64_t size = F::points * in_blocks * room * block_width();
  if (shares_blocks(blocks)) {
    const auto count = static_cast<int64_t>(blocks.size());
    const Buffer shared = float_workspace(stream, count * size);
    const auto buffer = [&](int64_t i) { return TileBuffer{floats(shared) + i * size, room, in_blocks}; };
    stream.threads().run(count * in_blocks, [&](int64_t task) {
      const int64_t i = task / in_blocks, c = task % in_blocks;
      sweep.transform(blocks[i], buffer(i), data, c, c + 1);
    });
    stream.threads().run(count * out_blocks, [&](int64_t task) {
      const int64_t i = task % count, ob = task / count;
      sweep.multiply(blocks[i], buffer(i), ob, u + ob * u_size, result);
    });
    return;
  }
  stream.threads().run(static_cast<int64_t>(blocks.size()), [&](int64_t i) {
    const TileBuffer buffer{thread_scratch(Scratch::tiles, size), room, in_blocks};
    sweep.transform(blocks[i], buffer, data, 0, in_blocks);
    for (int64_t ob = 0; ob < out_blocks; ++ob) sweep.multiply(blocks[i], buffer, ob, u + ob * u_size, result);
  });
}

// Both operands of a block of the weight gradient.
template <class F>
struct WeightGradient {
  Conv2dProblem p;
  Sweep<F> input, gradient;  // only their transforms
  std::vector<TileBlock> blocks;
  int64_t taps, in_blocks, out_blocks, room = 0;

  explicit WeightGradient(const Conv2dProblem& problem)
      : p(problem),
        input(problem, false),
        gradient(problem, true),
        blocks(tile_blocks(p.n, p.h_out(), input.tiles(), p.rows.size, p.c, false)),
        taps(p.rows.size),
        in_blocks(channel_blocks(p.c)),
        out_blocks(channel_blocks(p.o)) {
    for (const TileBlock& block : blocks) room = std::max(room, source_tiles(block, taps));
  }

  int64_t input_floats() const { return F::points * in_blocks * room * block_width(); }
  int64_t gradient_floats() const { return F::points * out_blocks * room * block_width(); }
  TileBuffer input_at(float* data) const { return {data, room, in_blocks}; }
  TileBuffer gradient_at(float* data) const { return {data, room, out_blocks}; }
  // Sums of one point and output block.
  int64_t sum_floats() const { return taps * in_blocks * block_width() * block_width(); }

  void transform_gradient_of(const TileBlock& block, const TileBuffer& buffer, const float* dy, int64_t first,
                             int64_t last) const {
    const auto row_of = [&](int64_t sample, int64_t row, int64_t channel, int64_t count, float* to) {
      const float* source = gradient.from.at(dy, sample, row, channel);
      transform_gradient<F>([&](int64_t column) { return load_lanes(source + column * p.o, count); }, p.w_out(),
                            block.tile, block.tiles, to, buffer.point_stride());
    };
    transform_block<F>(block, 1, 0, p.h_out(), p.o, buffer, first, last, row_of);
  }
};

template <class F>
void weight_gradient(Stream& stream, const Conv2dProblem& problem, const float* dy, const float* x, float* dweight) {
  const WeightGradient<F> work(problem);
  const auto count = static_cast<int64_t>(work.blocks.size());
  const bool shared = shares_blocks(work.blocks);
  const int64_t chunks = shared ? 1 : weight_chunks, pairs = F::points * work.out_blocks;
  const Buffer sums_buffer = float_workspace(stream, chunks * pairs * work.sum_floats());
  float* sums = floats(sums_buffer);
  const int64_t v_size = work.input_floats(), g_size = work.gradient_floats();
  const auto add = [&](int64_t i, float* v, float* g, int64_t pair, float* to, bool accumulate) {
    weight_gradient_of_block(work.blocks[i], work.taps, work.input_at(v), work.gradient_at(g), {work.blocks[i].rows, 0},
                             pair / work.out_blocks, pair % work.out_blocks, to + pair * work.sum_floats(), accumulate);
  };
  if (shared) {
    const Buffer tiles = float_workspace(stream, count * (v_size + g_size));
    const auto v = [&](int64_t i) { return floats(tiles) + i * (v_size + g_size); };
    stream.threads().run(count * (work.in_blocks + work.out_blocks), [&](int64_t task) {
      const int64_t i = task % count, c = task / count;
      if (c < work.in_blocks)
        work.input.transform(work.blocks[i], work.input_at(v(i)), x, c, c + 1);
      else
        work.transform_gradient_of(work.blocks[i], work.gradient_at(v(i) + v_size), dy, c - work.in_blocks,
                                   c - work.in_blocks + 1);
    });
    stream.threads().run(pairs, [&](int64_t pair) {
      for (int64_t i = 0; i < count; ++i) add(i, v(i), v(i) + v_size, pair, sums, i > 0);
    });
  } else {
    stream.threads().run(chunks, [&](int64_t chunk) {
      float* v = thread_scratch(Scratch::tiles, v_size);
      float* g = thread_scratch(Scratch::gradient_tiles, g_size);
      const int64_t begin = count * chunk / chunks, end = count * (chunk + 1) / chunks;
      for (int64_t i = begin; i < end; ++i) {
        work.input.transform(work.blocks[i], work.input_at(v), x, 0, work.in_blocks);
        work.transform_gradient_of(work.blocks[i], work.gradient_at(g), dy, 0, work.out_blocks);
        for (int64_t pair = 0; pair < pairs; ++pair)
          add(i, v, g, pair, sums + chunk * pairs * work.sum_floats(), i > begin);
      }
    });
  }
  stream.threads().run(work.out_blocks,
                       [&](int64_t ob) { unpack_weight_gradient<F>(work.p, sums, chunks, ob, dweight); });
}

// Calls run.operator()<F>() with the form for this problem.
template <class Run>
void with_form(const Conv2dProblem& p, int outputs, const Run& run) {
  if (p.columns.size == 2) return outputs == 4 ? run.template operator()<F52>() : run.template operator()<F72>();
  return outputs == 4 ? run.template operator()<F43>() : run.template operator()<F63>();
}

void winograd_forward_here(Stream& stream, const Conv2dProblem& p, int outputs, const float* x, const float* weight,
                           float* y, const WinogradFinish& finish) {
  with_form(p, outputs, [&]<class F>() { run_sweep(stream, Sweep<F>(p, false, finish), x, weight, y); });
}
void winograd_backward_data_here(Stream& stream, const Conv2dProblem& p, int outputs, const float* dy,
                                 const float* weight, float* dx) {
  with_form(p, outputs, [&]<class F>() { run_sweep(stream, Sweep<F>(p, true), dy, weight, dx); });
}
void winograd_backward_weight_here(Stream& stream, const Conv2dProblem& p, int outputs, const float* dy, const float* x,
                                   float* dweight) {
  with_form(p, outputs, [&]<class F>() { weight_gradient<F>(stream, p, dy, x, dweight); });
}

}  // namespace
}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {

HWY_EXPORT(winograd_forward_here);
HWY_EXPORT(winograd_backward_data_here);
HWY_EXPORT(winograd_backward_weight_here);

void winograd_forward(Stream& stream, const Conv2dProblem& problem, int outputs, const float* x, const float* weight,
                      float* y, const WinogradFinish& finish) {
  if (problem.n > 0)
    HWY_DYNAMIC_DISPATCH(winograd_forward_here)(stream, as_one_row(problem), outputs, x, weight, y, finish);
}

void winograd_backward_data(Stream& stream, const Conv2dProblem& problem, int outputs, const float* dy,
                            const float* weight, float* dx) {
  if (problem.n > 0)
    HWY_DYNAMIC_DISPATCH(winograd_backward_data_here)(stream, as_one_row(problem), outputs, dy, weight, dx);
}

void winograd_backward_weight(Stream& stream, const Conv2dProblem& problem, int outputs, const float* dy,
                              const float* x, float* dweight) {
  if (problem.n == 0) return void(std::fill_n(dweight, problem.weight_shape().numel(), 0.0f));
  HWY_DYNAMIC_DISPATCH(winograd_backward_weight_here)(stream, as_one_row(problem), outputs, dy, x, dweight);
}

}  // namespace melgrad::cpu
#endif
