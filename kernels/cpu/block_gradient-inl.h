// dy of a fused block, rebuilt from y, dz and the winners as Winograd's transform asks for it, for the instruction set at
// hand. Included once for each; see Highway's foreach_target.
//
//   dy = scale · g at the winners + slope · (y - mean) + constant,   g = dz where f passes it,
//   slope = -scale/N · Σ(g x̂)/σ,   constant = -scale/N · Σg.
#include <hwy/highway.h>

#include "kernels/conv_block.h"
#include "kernels/cpu/block_region-inl.h"
#include "kernels/cpu/block_source-inl.h"
#include "kernels/cpu/gemm.h"

#if defined(MELGRAD_KERNELS_CPU_BLOCK_GRADIENT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_BLOCK_GRADIENT_INL_H_
#undef MELGRAD_KERNELS_CPU_BLOCK_GRADIENT_INL_H_
#else
#define MELGRAD_KERNELS_CPU_BLOCK_GRADIENT_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

struct BlockGradient {
  BlockProblem problem;
  Pool2dProblem pool;
  const float *y, *pooled, *mean, *variance, *scale, *shift, *dz;
  const uint8_t* argmax;
  BlockActivation f;
  std::vector<float> slope, constant;

  BlockGradient(const BlockProblem& block, const BlockState& state, const float* gradient)
      : problem(block),
        pool(block.pool()),
        y(state.y.as<float>()),
        pooled(state.pooled.as<float>()),
        mean(state.mean.as<float>()),
        variance(state.variance.as<float>()),
        scale(state.scale.as<float>()),
        shift(state.shift.as<float>()),
        dz(gradient),
        argmax(state.argmax.as<uint8_t>()),
        f(block.activation),
        slope(static_cast<std::size_t>(pool.c)),
        constant(slope) {}

  // What one vector of channels needs.
  struct Vectors {
    int64_t c, count;
    WinogradVector mean, scale, shift, slope, constant;
  };
  HWY_INLINE Vectors vectors(int64_t c, int64_t count) const {
    return {c,
            count,
            load_lanes(mean + c, count),
            load_lanes(scale + c, count),
            load_lanes(shift + c, count),
            load_lanes(slope.data() + c, count),
            load_lanes(constant.data() + c, count)};
  }
  // g of the element `at` of z, and the distance of its winner from the mean.
  HWY_INLINE WinogradVector passed(const Vectors& v, int64_t at, WinogradVector& distance) const {
    const int64_t place = at * pool.c + v.c;
    distance = hn::Sub(load_lanes(pooled + place, v.count), v.mean);
    const WinogradVector normal = hn::MulAdd(v.scale, distance, v.shift), gradient = load_lanes(dz + place, v.count);
    if (f.function == Activation::relu) return hn::IfThenElseZero(hn::Gt(normal, hn::Zero(WinogradTag())), gradient);
    return f.gradient(f(normal), gradient);
  }

  // dgamma and dbeta, and with them slope and constant. Sums go over fixed pieces of z, merged in order in f64.
  void gather(Stream& stream, const float* gamma, float* dgamma, float* dbeta) {
    constexpr int64_t piece = 128;  // elements of each channel
    const WinogradTag d;
    const int64_t channels = pool.c, elements = pool.n * pool.h_out() * pool.w_out(),
                  pieces = (elements + piece - 1) / piece;
    const Buffer buffer = stream.workspace(pieces * 2 * channels * static_cast<int64_t>(sizeof(float)));
    float* sums = static_cast<float*>(buffer.data());
    stream.threads().run(pieces, [&](int64_t i) {
      for (int64_t c = 0; c < channels; c += lane_total()) {
        const Vectors v = vectors(c, channels - c);
        WinogradVector sum = hn::Zero(d), product = hn::Zero(d), distance;
        for (int64_t at = i * piece; at < std::min(elements, (i + 1) * piece); ++at) {
          const WinogradVector g = passed(v, at, distance);
          sum = hn::Add(sum, g);
          product = hn::MulAdd(g, distance, product);
        }
        store_lanes(sum, sums + 2 * i * channels + c, channels - c);
        store_lanes(product, sums + (2 * i + 1) * channels + c, channels - c);
      }
    });
    for (int64_t c = 0; c < channels; ++c) {
      double sum = 0, product = 0;
      for (int64_t i = 0; i < pieces; ++i) {
        sum += sums[2 * i * channels + c];
        product += sums[(2 * i + 1) * channels + c];
      }
      const double inverse = 1 / std::sqrt(static_cast<double>(variance[c]) + problem.epsilon);
      const double share = -gamma[c] * inverse / static_cast<double>(problem.positions());
      dbeta[c] = static_cast<float>(sum);
      dgamma[c] = static_cast<float>(product * inverse);
      constant[static_cast<std::size_t>(c)] = static_cast<float>(share * sum);
      slope[static_cast<std::size_t>(c)] = static_cast<float>(share * product * inverse * inverse);
    }
  }

  // What transform() will read of a block of tiles, `taps` rows of it for each of results.
  template <class F>
  void fetch(const TileBlock& block, int64_t taps, int64_t pad, Ahead& ahead) const {
    const int64_t high = pool.rows.size, wide = pool.columns.size, begin = block.tile * F::outputs,
                  end = std::min(pool.w, begin + block.tiles * F::outputs), first = begin / wide,
                  last = std::min(pool.w_out(), (end + wide - 1) / wide);
    const int64_t top = std::max<int64_t>(0, block.row - pad),
                  bottom = std::min(pool.h, block.row - pad + source_rows(block, taps));
    for (int64_t s = block.sample; s < block.sample + block.samples; ++s) {
      for (int64_t r = top; r < bottom; ++r)
        ahead.add(y + ((s * pool.h + r) * pool.w + begin) * pool.c, (end - begin) * pool.c);
      for (int64_t i = top / high; i < std::min(pool.h_out(), (bottom + high - 1) / high); ++i) {
        const int64_t at = ((s * pool.h_out() + i) * pool.w_out() + first) * pool.c, count = (last - first) * pool.c;
        ahead.add(dz + at, count);
        ahead.add(pooled + at, count);
        ahead.add(argmax + at, count);
      }
    }
  }

  // dy of columns [begin, end) of one row, a vector of channels each.
  HWY_INLINE void rebuild(const Vectors& v, int64_t sample, int64_t row, int64_t begin, int64_t end, float* to) const {
    const WinogradTag d;
    const hn::RebindToSigned<WinogradTag> di;
    const int64_t wide = pool.columns.size, i = row / pool.rows.size, last = pool.w_out() * wide;
    const float* from = y + ((sample * pool.h + row) * pool.w) * pool.c + v.c;
    const auto dense = [&](int64_t column) {
      return hn::MulAdd(v.slope, hn::Sub(load_lanes(from + column * pool.c, v.count), v.mean), v.constant);
    };
    int64_t column = begin;
    while (i < pool.h_out() && column < std::min(end, last)) {
      const int64_t j = column / wide, at = (sample * pool.h_out() + i) * pool.w_out() + j;
      WinogradVector distance;
      const WinogradVector g = hn::Mul(v.scale, passed(v, at, distance));
      const auto place = load_places(argmax + at * pool.c + v.c, v.count);
      for (auto tap = static_cast<int32_t>(row % pool.rows.size * wide + column - j * wide);
           column < std::min(end, (j + 1) * wide); ++column, ++tap, to += lane_total()) {
        const auto won = hn::RebindMask(d, hn::Eq(place, hn::Set(di, tap)));
        hn::Store(hn::Add(dense(column), hn::IfThenElseZero(won, g)), d, to);
      }
    }
    for (; column < end; ++column, to += lane_total()) hn::Store(dense(column), d, to);
  }

  // A dy of a row's tiles.
  template <class F>
  void transform(const TileBlock& block, int64_t sample, int64_t row, int64_t channel, int64_t count, float* to,
                 int64_t point_stride) const {
    const int64_t begin = block.tile * F::outputs, end = std::min(pool.w, begin + block.tiles * F::outputs);
    float* line = thread_scratch(Scratch::results, block.tiles * F::outputs * lane_total());
    rebuild(vectors(channel, count), sample, row, begin, end, line);
    transform_gradient<F>(
        [&](int64_t column) { return hn::Load(WinogradTag(), line + (column - begin) * lane_total()); }, pool.w,
        block.tile, block.tiles, to, point_stride);
  }
};

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
