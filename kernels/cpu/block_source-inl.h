// What a fused block reads, as it enters Winograd's transform: an image whose norm may still be pending, or what a first
// block makes of a signal, for the instruction set at hand. Included once for each; see Highway's foreach_target.
#include <hwy/highway.h>

#include <optional>

#include "kernels/cpu/conv_block.h"
#include "kernels/cpu/first_block_forward-inl.h"
#include "kernels/cpu/winograd_engine-inl.h"

#if defined(MELGRAD_KERNELS_CPU_BLOCK_SOURCE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_BLOCK_SOURCE_INL_H_
#undef MELGRAD_KERNELS_CPU_BLOCK_SOURCE_INL_H_
#else
#define MELGRAD_KERNELS_CPU_BLOCK_SOURCE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// A vector of channels of a first block's z, window after window.
template <int taps>
void first_block_line(const PatchReader& reader, const float* patch, const Channels& channels, int64_t channel,
                      ActivationChoice f, int64_t windows, float* line) {
  normalised_windows<taps, 1>(reader, patch, channels, channel, f, windows,
                              [&](int64_t j, int, MapVector z) { hn::Store(z, MapTag(), line + j * lane_total()); });
}
using FirstBlockLine = void (*)(const PatchReader&, const float*, const Channels&, int64_t, ActivationChoice, int64_t,
                                float*);
template <std::size_t... taps>
FirstBlockLine first_block_line_of(int64_t count, std::index_sequence<taps...>) {
  static constexpr FirstBlockLine functions[] = {&first_block_line<static_cast<int>(taps) + 1>...};
  return functions[count - 1];
}

// A first block of one row, computed where it is read.
struct FirstBlockSource {
  BlockProblem problem;
  Channels channels;
  FirstBlockLine run;

  explicit FirstBlockSource(const FirstBlockInput& first)
      : problem(as_one_row(first.problem)),
        channels(problem, block_width(), first.weight.as<float>(), first.gamma.as<float>(), first.beta.as<float>(),
                 first.mean.as<float>(), first.variance.as<float>()),
        run(first_block_line_of(problem.conv.taps(), std::make_index_sequence<most_read_taps>())) {}

  // Columns [begin, end) of z of a sample, a vector of channels each, in scratch of this thread.
  const float* line(const float* x, int64_t sample, int64_t begin, int64_t end, int64_t channel) const {
    const PatchReader reader(problem, end - begin);
    float* to = thread_scratch(Scratch::results, (end - begin) * lane_total());
    run(reader, reader.read(x, sample, 0, begin), channels, channel, problem.activation, end - begin, to);
    return to;
  }
};

struct BlockSource {
  const float* data;
  int64_t rows, columns, channels;
  const float *center = nullptr, *scale = nullptr, *shift = nullptr;  // none: values as they lie
  BlockActivation f;
  std::optional<FirstBlockSource> first;

  BlockSource(const Conv2dProblem& p, const BlockInput& x)
      : data(x.values.as<float>()),
        rows(p.h),
        columns(p.w),
        channels(p.c),
        f(x.norm == nullptr ? Activation::linear : x.norm->activation) {
    if (x.first != nullptr) first.emplace(*x.first);
    if (x.norm == nullptr) return;
    center = x.norm->center.as<float>();
    scale = x.norm->scale.as<float>();
    shift = x.norm->shift.as<float>();
  }

  // Bᵀ of a row's tiles, `count` channels from `channel` on.
  template <class F>
  void transform(const TileBlock& block, int64_t pad, int64_t sample, int64_t row, int64_t channel, int64_t count,
                 float* to, int64_t point_stride) const {
    const auto run = [&](const auto& load) {
      transform_input<F>(load, columns, pad, block.tile, block.tiles, to, point_stride);
    };
    if (first) {
      const int64_t begin = std::max<int64_t>(0, block.tile * F::outputs - pad),
                    end = std::min(columns, (block.tile + block.tiles) * F::outputs + 2 - pad);
      const float* line = first->line(data, sample, begin, end, channel);
      return run([&](int64_t column) { return hn::Load(WinogradTag(), line + (column - begin) * lane_total()); });
    }
    const float* from = data + (sample * rows + row) * columns * channels + channel;
    const auto value = [&](int64_t column) { return load_lanes(from + column * channels, count); };
    if (center == nullptr) return run(value);
    const WinogradVector middle = load_lanes(center + channel, count), factor = load_lanes(scale + channel, count),
                         offset = load_lanes(shift + channel, count);
    const auto normal = [&](int64_t column) { return hn::MulAdd(factor, hn::Sub(value(column), middle), offset); };
    if (f.function != Activation::relu) return run([&](int64_t column) { return f(normal(column)); });
    run([&](int64_t column) {
      const WinogradVector v = normal(column), zero = hn::Zero(WinogradTag());
      return hn::IfThenElse(hn::Lt(v, zero), zero, v);
    });
  }
};

// Where the products of a result's tile find their operands: (row tap, channel block) relative to tap 0. The data
// gradient runs through the taps backwards.
inline std::vector<int64_t> operand_offsets(const TileBlock& block, const TileBuffer& buffer, int64_t taps,
                                            bool backward) {
  std::vector<int64_t> offsets;
  for (int64_t tap = 0; tap < taps; ++tap)
    for (int64_t c = 0; c < buffer.channel_count; ++c)
      offsets.push_back((backward ? taps - 1 - tap : tap) * block.tiles * block_width() + c * buffer.channel_stride());
  return offsets;
}

// Room in tiles for the largest of some blocks.
inline int64_t largest_source(const std::vector<TileBlock>& blocks, int64_t taps) {
  int64_t room = 0;
  for (const TileBlock& block : blocks) room = std::max(room, source_tiles(block, taps));
  return room;
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
