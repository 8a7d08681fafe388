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

// Memory that will soon be read, fetched into the L2 cache a little at a time while something else is computed: rows of an
// image lie too far apart for the processor to see that they follow each other.
class Ahead {
 public:
  template <class T>
  void add(const T* from, int64_t count) {
    const int64_t bytes = count * static_cast<int64_t>(sizeof(T));
    if (bytes > 0) parts_.push_back({reinterpret_cast<const char*>(from), (bytes + line_bytes - 1) / line_bytes});
  }
  // All of it in so many calls of fetch().
  void spread(int64_t calls) {
    int64_t lines = 0;
    for (const Part& part : parts_) lines += part.lines;
    at_once_ = (lines + calls - 1) / calls;
  }
  HWY_INLINE void fetch() {
    for (int64_t left = at_once_; left > 0 && part_ < parts_.size();) {
      Part& part = parts_[part_];
      for (; part.lines > 0 && left > 0; --part.lines, --left, part.next += line_bytes)
        __builtin_prefetch(part.next, 0, 2);
      if (part.lines == 0) ++part_;
    }
  }
  void clear() {
    parts_.clear();
    part_ = 0;
    at_once_ = 0;
  }

 private:
  static constexpr int64_t line_bytes = 64;
  struct Part {
    const char* next;
    int64_t lines;
  };
  std::vector<Part> parts_;
  std::size_t part_ = 0;
  int64_t at_once_ = 0;
};

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

  // What transform() will read of a block of tiles. Of a first block's x that is little.
  template <class F>
  void fetch(const TileBlock& block, int64_t taps, int64_t row_pad, int64_t pad, Ahead& ahead) const {
    if (first) return;
    const int64_t begin = std::max<int64_t>(0, block.tile * F::outputs - pad),
                  end = std::min(columns, (block.tile + block.tiles) * F::outputs + 2 - pad);
    for (int64_t s = block.sample; s < block.sample + block.samples; ++s)
      for (int64_t r = std::max<int64_t>(0, block.row - row_pad);
           r < std::min(rows, block.row - row_pad + source_rows(block, taps)); ++r)
        ahead.add(data + ((s * rows + r) * columns + begin) * channels, (end - begin) * channels);
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
