// Batch norm, ReLU and max pool of a convolution's output on the CPU.
//
// Forward: one pass over y gives the sums for the statistics, y* and its place in the window; z follows from y* alone.
// Backward: one pass over the pooled tensors gives Σg and Σ g·(y* - mean), one over y gives
// dy = scale · g at the winners - scale/N · (Σg + x̂ Σ g·x̂). Bottleneck: memory, 1 read of y forward, 1 read and 1 write
// backward; of batch norm, ReLU and pool one after another it is 4 reads and 2 writes forward, 7 and 4 backward.
//
// Sums are taken in chunks of rows fixed by the sizes, forward around the chunk's own first value, and chunks are merged
// in order in f64 (channel_statistics.h).
#include "kernels/norm_pool.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/cpu/channel_statistics.h"
#include "kernels/reference/norm_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/norm_pool.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<float>;
using Vector = hn::Vec<Tag>;

constexpr int64_t chunk_floats = 1 << 16;  // of y: 256 KB, a part of the L2 cache

HWY_INLINE Vector load(const float* from, int64_t count) {
  return count >= static_cast<int64_t>(hn::Lanes(Tag())) ? hn::LoadU(Tag(), from) : load_part(from, count);
}
HWY_INLINE void store(Vector value, float* to, int64_t count) {
  if (count >= static_cast<int64_t>(hn::Lanes(Tag()))) return hn::StoreU(value, Tag(), to);
  HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(value, Tag(), part);
  std::copy_n(part, count, to);
}
// 0 … 255 as bytes, and back.
using Places = hn::RebindToSigned<Tag>;
using Bytes = hn::Rebind<uint8_t, Places>;

HWY_INLINE void store_bytes(hn::Vec<Places> value, uint8_t* to, int64_t count) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(Tag()));
  if (count >= lanes) return hn::StoreU(hn::DemoteTo(Bytes(), value), Bytes(), to);
  HWY_ALIGN uint8_t part[HWY_MAX_BYTES];
  hn::StoreU(hn::DemoteTo(Bytes(), value), Bytes(), part);
  std::copy_n(part, count, to);
}
HWY_INLINE hn::Vec<Places> load_bytes(const uint8_t* from, int64_t count) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(Tag()));
  if (count >= lanes) return hn::PromoteTo(Places(), hn::LoadU(Bytes(), from));
  HWY_ALIGN uint8_t part[HWY_MAX_BYTES] = {};
  std::copy_n(from, count, part);
  return hn::PromoteTo(Places(), hn::LoadU(Bytes(), part));
}

// Rows of windows of one sample, and the rows of y that belong to them: the last chunk has those below the last window.
struct Chunks {
  Pool2dProblem p;
  int64_t height, per_sample;

  explicit Chunks(const Pool2dProblem& pool)
      : p(pool),
        height(std::clamp<int64_t>(chunk_floats / std::max<int64_t>(1, p.rows.size * p.w * p.c), 1, p.h_out())),
        per_sample((p.h_out() + height - 1) / height) {}
  int64_t count() const { return p.n * per_sample; }
  int64_t sample(int64_t chunk) const { return chunk / per_sample; }
  int64_t first(int64_t chunk) const { return chunk % per_sample * height; }
  int64_t last(int64_t chunk) const { return std::min(first(chunk) + height, p.h_out()); }
  int64_t first_row(int64_t chunk) const { return first(chunk) * p.rows.size; }
  int64_t last_row(int64_t chunk) const { return last(chunk) == p.h_out() ? p.h : last(chunk) * p.rows.size; }
  int64_t positions(int64_t chunk) const { return (last_row(chunk) - first_row(chunk)) * p.w; }
};

// Calls window(offset of its first element in y, offset in z) and rest(offset in y) for all of a chunk, in row order of
// windows.
template <class OnWindow, class OnRest>
HWY_INLINE void for_each_position(const Chunks& chunks, int64_t chunk, const OnWindow& window, const OnRest& rest) {
  const Pool2dProblem& p = chunks.p;
  const int64_t sample = chunks.sample(chunk), covered = p.w_out() * p.columns.size;
  const auto y_at = [&](int64_t row, int64_t column) { return ((sample * p.h + row) * p.w + column) * p.c; };
  for (int64_t i = chunks.first(chunk); i < chunks.last(chunk); ++i) {
    for (int64_t j = 0; j < p.w_out(); ++j)
      window(y_at(i * p.rows.size, j * p.columns.size), ((sample * p.h_out() + i) * p.w_out() + j) * p.c);
    for (int64_t row = i * p.rows.size; row < (i + 1) * p.rows.size; ++row)
      for (int64_t column = covered; column < p.w; ++column) rest(y_at(row, column));
  }
  for (int64_t row = chunks.last(chunk) * p.rows.size; row < chunks.last_row(chunk); ++row)
    for (int64_t column = 0; column < p.w; ++column) rest(y_at(row, column));
}

// The chunk's y* and argmax, and around its first value the sums [shift, Σ, Σ²] (c) each.
void pool_chunk(const Chunks& chunks, int64_t chunk, const float* y, const float* gamma, float* pooled, uint8_t* argmax,
                float* sums) {
  const Tag d;
  const Places di;
  const Pool2dProblem& p = chunks.p;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  float *shift = sums, *sum = sums + p.c, *squares = sums + 2 * p.c;
  std::copy_n(y + (chunks.sample(chunk) * p.h + chunks.first_row(chunk)) * p.w * p.c, p.c, shift);
  std::fill_n(sum, 2 * p.c, 0.0f);
  const auto add = [&](Vector value, int64_t c, Vector& total, Vector& total_squares) {
    const Vector distance = hn::Sub(value, load(shift + c, p.c - c));
    total = hn::Add(total, distance);
    total_squares = hn::MulAdd(distance, distance, total_squares);
  };
  const auto window = [&](int64_t from, int64_t to) {
    for (int64_t c = 0; c < p.c; c += lanes) {
      const int64_t count = p.c - c;
      Vector total = load(sum + c, count), total_squares = load(squares + c, count);
      const auto negative = hn::Lt(load(gamma + c, count), hn::Zero(d));
      Vector best = hn::Zero(d);  // of y, or of -y where gamma < 0
      auto place = hn::Zero(di);
      int32_t tap = 0;
      for (int64_t row = 0; row < p.rows.size; ++row)
        for (int64_t column = 0; column < p.columns.size; ++column, ++tap) {
          const Vector value = load(y + from + (row * p.w + column) * p.c + c, count);
          add(value, c, total, total_squares);
          const Vector directed = hn::IfThenElse(negative, hn::Neg(value), value);
          const auto better = tap == 0 ? hn::Eq(directed, directed) : hn::Gt(directed, best);
          best = tap == 0 ? directed : hn::IfThenElse(better, directed, best);
          place = hn::IfThenElse(hn::RebindMask(di, better), hn::Set(di, tap), place);
        }
      store(total, sum + c, count);
      store(total_squares, squares + c, count);
      store(hn::IfThenElse(negative, hn::Neg(best), best), pooled + to + c, count);
      store_bytes(place, argmax + to + c, count);
    }
  };
  const auto rest = [&](int64_t from) {
    for (int64_t c = 0; c < p.c; c += lanes) {
      Vector total = load(sum + c, p.c - c), total_squares = load(squares + c, p.c - c);
      add(load(y + from + c, p.c - c), c, total, total_squares);
      store(total, sum + c, p.c - c);
      store(total_squares, squares + c, p.c - c);
    }
  };
  for_each_position(chunks, chunk, window, rest);
}

void forward_here(Stream& stream, const NormPoolProblem& problem, const float* y, const float* gamma, const float* beta,
                  float* z, float* pooled, uint8_t* argmax, float* mean, float* variance) {
  const Chunks chunks(problem.pool);
  const int64_t channels = chunks.p.c;
  const Buffer buffer = stream.workspace(chunks.count() * 3 * channels * static_cast<int64_t>(sizeof(float)));
  float* sums = static_cast<float*>(buffer.data());
  stream.threads().run(chunks.count(), [&](int64_t chunk) {
    pool_chunk(chunks, chunk, y, gamma, pooled, argmax, sums + chunk * 3 * channels);
  });
  std::vector<float> scale(static_cast<std::size_t>(channels)), shift(scale);
  for (int64_t c = 0; c < channels; ++c) {
    const auto positions = [&](int64_t chunk) { return chunks.positions(chunk); };
    const ChannelStatistics found = merge_statistics(chunks.count(), positions, sums, channels, c);
    mean[c] = static_cast<float>(found.mean);
    variance[c] = static_cast<float>(found.variance);
    const double exact = gamma[c] / std::sqrt(static_cast<double>(variance[c]) + problem.epsilon);
    scale[c] = static_cast<float>(exact);
    shift[c] = static_cast<float>(beta[c] + exact * (mean[c] - found.mean));  // what the mean's rounding moves
  }
  const Tag d;
  const Vector least = problem.relu ? hn::Zero(d) : hn::Set(d, -std::numeric_limits<float>::infinity());
  stream.threads().run(chunks.count(), [&](int64_t chunk) {
    const auto lanes = static_cast<int64_t>(hn::Lanes(d));
    for_each_position(
        chunks, chunk,
        [&](int64_t, int64_t to) {
          for (int64_t c = 0; c < channels; c += lanes) {
            const int64_t count = channels - c;
            const Vector distance = hn::Sub(load(pooled + to + c, count), load(mean + c, count));
            const Vector normal = hn::MulAdd(load(scale.data() + c, count), distance, load(shift.data() + c, count));
            store(hn::IfThenElse(hn::Lt(normal, least), least, normal), z + to + c, count);  // a NaN stays
          }
        },
        [](int64_t) {});
  });
}

// What the backward pass needs of each channel.
struct ChannelFactors {
  std::vector<float> scale, constant, slope;  // dy = scale · g + slope · (y - mean) + constant
  explicit ChannelFactors(int64_t channels)
      : scale(static_cast<std::size_t>(channels)), constant(scale), slope(scale) {}
};

// dz where f passes it.
HWY_INLINE Vector passed(bool relu, Vector scale, Vector distance, Vector beta, Vector dz) {
  return relu ? hn::IfThenElseZero(hn::Gt(hn::MulAdd(scale, distance, beta), hn::Zero(Tag())), dz) : dz;
}

void backward_here(Stream& stream, const NormPoolProblem& problem, const float* y, const float* gamma,
                   const float* beta, const float* mean, const float* variance, const float* pooled,
                   const uint8_t* argmax, const float* dz, float* dy, float* dgamma, float* dbeta) {
  const Tag d;
  const Places di;
  const Chunks chunks(problem.pool);
  const Pool2dProblem& p = chunks.p;
  const int64_t channels = p.c;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  ChannelFactors factors(channels);
  for (int64_t c = 0; c < channels; ++c)
    factors.scale[c] = static_cast<float>(gamma[c] / std::sqrt(static_cast<double>(variance[c]) + problem.epsilon));
  const Buffer buffer = stream.workspace(chunks.count() * 2 * channels * static_cast<int64_t>(sizeof(float)));
  float* sums = static_cast<float*>(buffer.data());
  stream.threads().run(chunks.count(), [&](int64_t chunk) {
    float *sum = sums + chunk * 2 * channels, *product = sum + channels;
    std::fill_n(sum, 2 * channels, 0.0f);
    const auto window = [&](int64_t, int64_t at) {
      for (int64_t c = 0; c < channels; c += lanes) {
        const int64_t count = channels - c;
        const Vector distance = hn::Sub(load(pooled + at + c, count), load(mean + c, count));
        const Vector g = passed(problem.relu, load(factors.scale.data() + c, count), distance, load(beta + c, count),
                                load(dz + at + c, count));
        store(hn::Add(load(sum + c, count), g), sum + c, count);
        store(hn::MulAdd(g, distance, load(product + c, count)), product + c, count);
      }
    };
    for_each_position(chunks, chunk, window, [](int64_t) {});
  });
  for (int64_t c = 0; c < channels; ++c) {
    double sum = 0, product = 0;
    for (int64_t chunk = 0; chunk < chunks.count(); ++chunk) {
      sum += sums[chunk * 2 * channels + c];
      product += sums[(chunk * 2 + 1) * channels + c];
    }
    const double inverse = 1 / std::sqrt(static_cast<double>(variance[c]) + problem.epsilon);
    const double share = -gamma[c] * inverse / static_cast<double>(p.n * p.h * p.w);
    dbeta[c] = static_cast<float>(sum);
    dgamma[c] = static_cast<float>(product * inverse);
    factors.constant[c] = static_cast<float>(share * sum);
    factors.slope[c] = static_cast<float>(share * product * inverse * inverse);
  }
  stream.threads().run(chunks.count(), [&](int64_t chunk) {
    const auto dense = [&](int64_t from, int64_t c) {  // the part through mean and variance
      const int64_t count = channels - c;
      return hn::MulAdd(load(factors.slope.data() + c, count),
                        hn::Sub(load(y + from + c, count), load(mean + c, count)),
                        load(factors.constant.data() + c, count));
    };
    const auto window = [&](int64_t from, int64_t at) {
      for (int64_t c = 0; c < channels; c += lanes) {
        const int64_t count = channels - c;
        const Vector scale = load(factors.scale.data() + c, count);
        const Vector distance = hn::Sub(load(pooled + at + c, count), load(mean + c, count));
        const Vector g =
            hn::Mul(scale, passed(problem.relu, scale, distance, load(beta + c, count), load(dz + at + c, count)));
        const auto place = load_bytes(argmax + at + c, count);
        int32_t tap = 0;
        for (int64_t row = 0; row < p.rows.size; ++row)
          for (int64_t column = 0; column < p.columns.size; ++column, ++tap) {
            const int64_t offset = from + (row * p.w + column) * p.c;
            const auto won = hn::RebindMask(d, hn::Eq(place, hn::Set(di, tap)));
            store(hn::Add(dense(offset, c), hn::IfThenElseZero(won, g)), dy + offset + c, count);
          }
      }
    };
    for_each_position(chunks, chunk, window, [&](int64_t from) {
      for (int64_t c = 0; c < channels; c += lanes) store(dense(from, c), dy + from + c, channels - c);
    });
  });
}

}  // namespace
}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(forward_here);
HWY_EXPORT(backward_here);

void forward(Stream& stream, const NormPoolProblem& problem, ConstView y, ConstView gamma, ConstView beta, View z,
             View pooled, View argmax, View mean, View variance) {
  if (y.dtype == DType::f64)
    return reference::norm_pool_forward<double>(problem, y, gamma, beta, z, pooled, argmax, mean, variance);
  HWY_DYNAMIC_DISPATCH(forward_here)
  (stream, problem, y.as<float>(), gamma.as<float>(), beta.as<float>(), z.as<float>(), pooled.as<float>(),
   argmax.as<uint8_t>(), mean.as<float>(), variance.as<float>());
}

void backward(Stream& stream, const NormPoolProblem& problem, ConstView y, ConstView gamma, ConstView beta,
              ConstView mean, ConstView variance, ConstView pooled, ConstView argmax, ConstView dz, View dy,
              View dgamma, View dbeta) {
  if (y.dtype == DType::f64) {
    return reference::norm_pool_backward<double>(problem, y, gamma, beta, mean, variance, pooled, argmax, dz, dy,
                                                 dgamma, dbeta);
  }
  HWY_DYNAMIC_DISPATCH(backward_here)
  (stream, problem, y.as<float>(), gamma.as<float>(), beta.as<float>(), mean.as<float>(), variance.as<float>(),
   pooled.as<float>(), argmax.as<uint8_t>(), dz.as<float>(), dy.as<float>(), dgamma.as<float>(), dbeta.as<float>());
}

}  // namespace

extern const NormPoolFunctions norm_pool_functions;
const NormPoolFunctions norm_pool_functions{forward, backward};

}  // namespace melgrad::cpu
#endif
