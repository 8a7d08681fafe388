// A block of rows correlated with a small kernel, by register tiles, for the instruction set at hand: what direct
// convolutions (kernels/cpu/direct_conv.h) do forward and, with the weights turned round, for the gradient of the data.
// Included once for each; see Highway's foreach_target.
#include "kernels/cpu/direct_tile-inl.h"
#include "kernels/cpu/gemm.h"

#if defined(MELGRAD_KERNELS_CPU_DIRECT_CORRELATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_DIRECT_CORRELATION_INL_H_
#undef MELGRAD_KERNELS_CPU_DIRECT_CORRELATION_INL_H_
#else
#define MELGRAD_KERNELS_CPU_DIRECT_CORRELATION_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {
namespace {

constexpr int64_t whole_vectors(int64_t count) {
  return (count + vector_lanes - 1) / vector_lanes * vector_lanes;
}

// Some rows of an image: columns, then channels.
struct Rows {
  const float* data;
  int64_t columns, channels;
  int64_t pitch() const { return columns * channels; }
};

// What may be read behind the last row: a vector of pixels, or a tile of channels.
constexpr int64_t slack(int64_t channels) {
  return vector_lanes * (channels + most_vectors);
}

// Rows [first, first + count) of an image (h, w, c), zeros around it: `left` columns before it, `right` behind.
inline Rows copy_rows(const float* image, int64_t h, int64_t w, int64_t c, int64_t first, int64_t count, int64_t left,
                      int64_t right, Scratch slot) {
  const int64_t columns = left + w + right;
  float* to = thread_scratch(slot, count * columns * c + slack(c));
  const Rows rows{to, columns, c};
  for (int64_t row = first; row < first + count; ++row, to += columns * c) {
    if (row < 0 || row >= h) {
      std::fill_n(to, columns * c, 0.0f);
      continue;
    }
    std::fill_n(to, left * c, 0.0f);
    std::copy_n(image + row * w * c, w * c, to + left * c);
    std::fill_n(to + (left + w) * c, right * c, 0.0f);
  }
  return rows;
}

// Pixels of `channels` numbers side by side become planes, or back: `lanes` pixels at a time in registers.
inline void to_planes(const Rows& rows, int64_t count, int64_t plane, float* to) {
  const FloatTag d;
  for (int64_t row = 0; row < count; ++row)
    for (int64_t c = 0; c < rows.channels; c += vector_lanes)
      for (int64_t pixel = 0; pixel < rows.columns; pixel += vector_lanes) {
        const float* from = rows.data + row * rows.pitch() + pixel * rows.channels + c;
        Vector part[vector_lanes];
        for (int i = 0; i < vector_lanes; ++i) part[i] = hn::LoadU(d, from + i * rows.channels);
        transpose(part);
        float* out = to + (row * rows.channels + c) * plane + pixel;
        for (int64_t i = 0; i < std::min<int64_t>(vector_lanes, rows.channels - c); ++i)
          hn::StoreU(part[i], d, out + i * plane);
      }
}

// max(planes + start, floor) as pixels; at most `vector_lanes` planes.
inline void from_planes(const float* planes, int64_t plane, int64_t channels, int64_t pixels, const float* start,
                        float least, float* to) {
  const FloatTag d;
  const Vector shift = hn::LoadU(d, start), floor = hn::Set(d, least);
  const auto mask = hn::FirstN(d, static_cast<std::size_t>(channels));
  for (int64_t pixel = 0; pixel < pixels; pixel += vector_lanes) {
    Vector part[vector_lanes];
    for (int64_t i = 0; i < vector_lanes; ++i)
      part[i] = i < channels ? hn::LoadU(d, planes + i * plane + pixel) : hn::Zero(d);
    transpose(part);
    for (int64_t i = 0; i < std::min<int64_t>(vector_lanes, pixels - pixel); ++i) {
      const Vector value = hn::Add(part[i], shift);
      hn::BlendedStore(hn::IfThenElse(hn::Lt(value, floor), floor, value), mask, d, to + (pixel + i) * channels);
    }
  }
}

// The same, or the rows where they lie if nothing is to be put around them; `copy` asks for slack behind them.
inline Rows image_rows(const float* image, int64_t h, int64_t w, int64_t c, int64_t first, int64_t count, int64_t left,
                       int64_t right, Scratch slot, bool copy = false) {
  if (!copy && left + right == 0 && first >= 0 && first + count <= h) return {image + first * w * c, w, c};
  return copy_rows(image, h, w, c, first, count, left, right, slot);
}

class Correlation {
 public:
  // A kernel of high × wide taps from `in` channels to `out`; `columns` outputs in a row.
  Correlation(int64_t high, int64_t wide, int64_t in, int64_t out, int64_t columns)
      : high_(high),
        wide_(wide),
        in_(in),
        out_(out),
        columns_(columns),
        planes_(2 * out <= vector_lanes && 2 * columns >= vector_lanes),
        padded_(planes_ ? out : whole_vectors(out)) {}

  // Whether run() reads past the last row (slack()).
  bool wants_slack() const { return planes_; }

  // Packs `weight` (kh, kw, in, out); or, `turned`, one of (kh, kw, out, in) whose taps go the other way. The result is
  // `weight` itself where it lies as it must, else in `to`.
  int64_t weight_floats() const { return high_ * wide_ * in_ * padded_; }
  const float* pack(const float* weight, bool turned, float* to) const {
    if (!turned && !planes_ && padded_ == out_) return weight;
    for (int64_t p = 0; p < high_; ++p)
      for (int64_t q = 0; q < wide_; ++q)
        for (int64_t c = 0; c < in_; ++c) {
          const int64_t tap = turned ? (high_ - 1 - p) * wide_ + wide_ - 1 - q : p * wide_ + q;
          const float* from = weight + (turned ? tap * out_ * in_ + c : (tap * in_ + c) * out_);
          float* row = to + (planes_ ? (q * high_ + p) * in_ + c : (p * wide_ + q) * in_ + c) * padded_;
          for (int64_t o = 0; o < out_; ++o) row[o] = from[o * (turned ? in_ : 1)];
          std::fill(row + out_, row + padded_, 0.0f);
        }
    return to;
  }

  // y = max(start + the correlation, floor) for `count` rows of outputs, from count + high - 1 rows. `start` has whole
  // vectors.
  void run(const float* weights, const float* start, float floor, const Rows& rows, int64_t count, float* y) const {
    if (planes_) return run_planes(weights, start, floor, rows, count, y);
    Tile t{.a = rows.data,
           .a_row = in_,
           .a_step = 1,
           .a_segment = rows.pitch(),
           .b = weights,
           .b_step = padded_,
           .b_segment = wide_ * in_ * padded_,
           .segments = high_,
           .steps = wide_ * in_,
           .start = start,
           .floor = floor,
           .out = y,
           .out_row = out_,
           .columns = out_};
    // Tiles lie along the axis that leaves fewer of them.
    const int64_t most = most_rows(std::min<int64_t>(most_vectors, padded_ / vector_lanes));
    const auto tiles = [&](int64_t length) { return (length + most - 1) / most; };
    if (count * tiles(columns_) <= columns_ * tiles(count)) {
      for (int64_t i = 0; i < count; ++i, t.a += rows.pitch(), t.out += columns_ * out_) run_tiles<false>(t, columns_);
      return;
    }
    t.a_row = rows.pitch();
    t.out_row = columns_ * out_;
    for (int64_t j = 0; j < columns_; ++j, t.a += in_, t.out += out_) run_tiles<false>(t, count);
  }

 private:
  void run_planes(const float* weights, const float* start, float floor, const Rows& rows, int64_t count,
                  float* y) const {
    // An odd number of vectors from one plane to the next: a power of two would crowd a few sets of the L1 cache.
    const int64_t plane = (whole_vectors(whole_vectors(columns_) + wide_ - 1) / vector_lanes | 1) * vector_lanes;
    float* planes = thread_scratch(Scratch::tiles, (count + high_ - 1) * in_ * plane + slack(1));
    to_planes(rows, count + high_ - 1, plane, planes);
    HWY_ALIGN float sums[vector_lanes][most_vectors * vector_lanes];
    HWY_ALIGN static constexpr float zeros[most_vectors * vector_lanes] = {};
    Tile t{.a = weights,
           .a_row = 1,
           .a_step = out_,
           .a_segment = high_ * in_ * out_,
           .b = nullptr,
           .b_step = plane,
           .b_segment = 1,
           .segments = wide_,
           .steps = high_ * in_,
           .start = zeros,
           .floor = no_floor,
           .out = &sums[0][0],
           .out_row = most_vectors * vector_lanes,
           .columns = 0};
    for (int64_t i = 0; i < count; ++i)
      for_each_part(whole_vectors(columns_) / vector_lanes, most_vectors, [&](int64_t vector, int64_t wide) {
        const int64_t column = vector * vector_lanes;
        t.b = planes + i * in_ * plane + column;
        t.columns = wide * vector_lanes;
        tile_function<true>(out_, wide)(t);
        from_planes(&sums[0][0], t.out_row, out_, std::min(t.columns, columns_ - column), start, floor,
                    y + (i * columns_ + column) * out_);
      });
  }

  int64_t high_, wide_, in_, out_, columns_;
  bool planes_;
  int64_t padded_;
};

}  // namespace
}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
