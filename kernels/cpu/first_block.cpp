// The first block of a network, on one input channel, on the CPU: y is computed from x in registers, two vectors of
// channels at a time, wherever it is needed, and never stored.
//
// Count for SampleCNN's (3 taps, pool of 3): 9 multiply-adds forward and 18 backward for each of its pooled outputs, against
// 3 reads and 2 writes of y through memory layer by layer. Bottleneck: the write of z forward, multiply-adds backward.
//
// Sums of the backward pass are f32 within a piece of windows and f64 across pieces, in order. Statistics are
// first_block_moments.cpp's.
#include "kernels/first_block.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "kernels/cpu/first_block.h"
#include "kernels/cpu/gemm.h"
#include "kernels/reference/first_block.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/first_block.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/first_block_data-inl.h"
#include "kernels/cpu/first_block_forward-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {
namespace {

using Tag = MapTag;
using Vector = MapVector;

constexpr int vectors = 2;  // of channels at once: each number of x that is broadcast feeds two products

HWY_INLINE int64_t lane_total() {
  return static_cast<int64_t>(hn::Lanes(Tag()));
}

HWY_INLINE void store_channels(Vector value, float* to, int64_t count) {
  const Tag d;
  if (count >= lane_total()) return hn::StoreU(value, d, to);
  HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(value, d, part);
  std::copy_n(part, std::max<int64_t>(count, 0), to);
}
HWY_INLINE Vector load_channels(const float* from, int64_t count) {
  if (count >= lane_total()) return hn::LoadU(Tag(), from);
  return load_part(from, std::max<int64_t>(count, 0));
}

template <int taps>
void forward_piece(const BlockProblem& problem, const PatchReader& reader, const float* patch, const Channels& channels,
                   int64_t windows, float* z) {
  for (int64_t channel = 0; channel < channels.count; channel += vectors * lane_total())
    normalised_windows<taps, vectors>(reader, patch, channels, channel, problem.activation, windows,
                                      [&](int64_t j, int v, Vector value) {
                                        const int64_t at = channel + v * lane_total();
                                        store_channels(value, z + j * channels.count + at, channels.count - at);
                                      });
}

// Adds a piece's Σg and Σ g · x[winner + k] to sums (1 + taps, padded). `winners` takes what dx needs, or is null.
template <int taps>
void backward_piece(const BlockProblem& problem, const PatchReader& reader, const float* patch,
                    const Channels& channels, int64_t windows, const float* dz, double* sums, float* winners) {
  const Tag d;
  const auto positions = static_cast<int64_t>(reader.positions.size());
  HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)];
  for (int64_t channel = 0; channel < channels.count; channel += vectors * lane_total()) {
    const Products<taps, vectors> products(channels, channel);
    const Normalise<vectors> normalise(channels, channel, problem.activation);
    Vector total[1 + taps][vectors];
    for (auto& row : total)
      for (int v = 0; v < vectors; ++v) row[v] = hn::Zero(d);
    for (int64_t j = 0; j < windows; ++j) {
      const float* x = patch + j * reader.window_step;
      Vector best[vectors], y[vectors], winner[vectors], g[vectors];
      products.at(x + reader.positions[0], reader.taps, best);
      for (int v = 0; v < vectors; ++v) winner[v] = hn::Zero(d);
      for (int64_t tap = 1; tap < positions; ++tap) {
        products.at(x + reader.positions[tap], reader.taps, y);
        for (int v = 0; v < vectors; ++v) {
          const auto better = hn::Gt(y[v], best[v]);
          best[v] = hn::IfThenElse(better, y[v], best[v]);
          winner[v] = hn::IfThenElse(better, hn::Set(d, static_cast<float>(tap)), winner[v]);
        }
      }
      for (int v = 0; v < vectors; ++v) {
        const int64_t at = channel + v * lane_total();
        g[v] = normalise.f.gradient(normalise(best[v], v),
                                    load_channels(dz + j * channels.count + at, channels.count - at));
        total[0][v] = hn::Add(total[0][v], g[v]);
        if (winners == nullptr) continue;
        hn::StoreU(hn::Mul(normalise.scale[v], g[v]), d, winners + 2 * j * channels.padded + at);
        hn::StoreU(winner[v], d, winners + (2 * j + 1) * channels.padded + at);
      }
      for (int64_t tap = 0; tap < positions; ++tap) {
        const float* at = x + reader.positions[tap];
        Vector here[vectors];
        for (int v = 0; v < vectors; ++v)
          here[v] = hn::IfThenElseZero(hn::Eq(winner[v], hn::Set(d, static_cast<float>(tap))), g[v]);
        for (int k = 0; k < taps; ++k) {
          const Vector value = hn::Set(d, at[reader.taps[k]]);
          for (int v = 0; v < vectors; ++v) total[1 + k][v] = hn::MulAdd(value, here[v], total[1 + k][v]);
        }
      }
    }
    for (int k = 0; k < 1 + taps; ++k)
      for (int v = 0; v < vectors; ++v) {
        hn::Store(total[k][v], d, part);
        double* to = sums + k * channels.padded + channel + v * lane_total();
        for (int64_t i = 0; i < lane_total(); ++i) to[i] += static_cast<double>(part[i]);
      }
  }
}

using ForwardPiece = void (*)(const BlockProblem&, const PatchReader&, const float*, const Channels&, int64_t, float*);
using BackwardPiece = void (*)(const BlockProblem&, const PatchReader&, const float*, const Channels&, int64_t,
                               const float*, double*, float*);

template <std::size_t... taps>
std::pair<ForwardPiece, BackwardPiece> piece_functions(int64_t count, std::index_sequence<taps...>) {
  static constexpr std::pair<ForwardPiece, BackwardPiece> functions[] = {
      {&forward_piece<static_cast<int>(taps) + 1>, &backward_piece<static_cast<int>(taps) + 1>}...};
  return functions[count - 1];
}

// Calls body(piece, its patch, its windows, its place in z) for the pieces of a task.
template <class Body>
void for_each_piece(const Pieces& pieces, const PatchReader& reader, int64_t task, const float* x, const Body& body) {
  const int64_t end = std::min((task + 1) * pieces_a_task, pieces.count());
  for (int64_t piece = task * pieces_a_task; piece < end; ++piece) {
    const int64_t at = (piece / pieces.per_row * pieces.pool.w_out() + pieces.first(piece)) * pieces.pool.c;
    body(piece, reader.read(x, pieces.sample(piece), pieces.row(piece), pieces.first(piece)), pieces.windows(piece),
         at);
  }
}

void forward_here(Stream& stream, const BlockProblem& problem, const float* x, const float* weight, const float* gamma,
                  const float* beta, const float* mean, const float* variance, float* z) {
  const Pieces pieces(problem);
  const PatchReader reader(problem, pieces.length);
  const Channels channels(problem, vectors * lane_total(), weight, gamma, beta, mean, variance);
  const auto run = piece_functions(channels.taps, std::make_index_sequence<most_taps>()).first;
  stream.threads().run(pieces.tasks(), [&](int64_t task) {
    for_each_piece(pieces, reader, task, x, [&](int64_t, const float* patch, int64_t windows, int64_t at) {
      run(problem, reader, patch, channels, windows, z + at);
    });
  });
}

void backward_here(Stream& stream, const BlockProblem& problem, const float* x, const float* weight, const float* gamma,
                   const float* beta, const float* mean, const float* variance, const double* moments, const float* dz,
                   float* dx, float* dweight, float* dgamma, float* dbeta) {
  const Pieces pieces(problem);
  const PatchReader reader(problem, pieces.length);
  const Channels channels(problem, vectors * lane_total(), weight, gamma, beta, mean, variance);
  const int64_t taps = channels.taps, size = (1 + taps) * channels.padded;
  const auto run = piece_functions(taps, std::make_index_sequence<most_taps>()).second;
  const Buffer buffer = stream.workspace(pieces.tasks() * size * static_cast<int64_t>(sizeof(double)));
  double* sums = static_cast<double*>(buffer.data());
  std::optional<WinnersGradient> winners;
  if (dx != nullptr) winners.emplace(stream, pieces, reader, channels);
  stream.threads().run(pieces.tasks(), [&](int64_t task) {
    double* own = sums + task * size;
    std::fill_n(own, size, 0.0);
    for_each_piece(pieces, reader, task, x, [&](int64_t piece, const float* patch, int64_t windows, int64_t at) {
      run(problem, reader, patch, channels, windows, dz + at, own, winners ? winners->scratch() : nullptr);
      if (winners) winners->add(piece);
    });
  });
  for (int64_t task = 1; task < pieces.tasks(); ++task)
    for (int64_t i = 0; i < size; ++i) sums[i] += sums[task * size + i];
  const double* covariance = moments + taps;
  DenseGradient dense(problem.conv, moments);
  for (int64_t c = 0; c < channels.count; ++c) {
    const double inverse = 1 / std::sqrt(static_cast<double>(variance[c]) + problem.epsilon);
    const double scale = gamma[c] * inverse, g = sums[c];
    const double through = problem.own_statistics ? 1 : 0;  // mean and variance
    const auto w = [&](int64_t k) { return static_cast<double>(weight[k * channels.count + c]); };
    double product = -static_cast<double>(mean[c]) * g;  // Σ g · (y* - mean)
    for (int64_t k = 0; k < taps; ++k) product += w(k) * sums[(1 + k) * channels.padded + c];
    for (int64_t k = 0; k < taps; ++k) {
      double spread = 0;  // the covariance of patch element k with y
      for (int64_t l = 0; l < taps; ++l) spread += covariance[k * taps + l] * w(l);
      const double at_winners = sums[(1 + k) * channels.padded + c] - through * g * moments[k];
      dweight[k * channels.count + c] =
          static_cast<float>(scale * (at_winners - through * product * inverse * inverse * spread));
    }
    dgamma[c] = static_cast<float>(product * inverse);
    dbeta[c] = static_cast<float>(g);
    const double share = -through * scale / static_cast<double>(problem.positions());
    if (winners) dense.add_channel(w, share * g, share * product * inverse * inverse);
  }
  if (winners) winners->finish(stream, x, problem.own_statistics ? &dense : nullptr, dx);
}

}  // namespace
}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(forward_here);
HWY_EXPORT(backward_here);

void statistics(Stream& stream, const BlockProblem& problem, ConstView x, ConstView weight, View mean, View variance,
                View moments) {
  if (x.dtype == DType::f64)
    return reference::first_block_statistics<double>(problem, x, weight, mean, variance, moments);
  first_block_moments(stream, as_one_row(problem), x.as<float>(), weight.as<float>(), mean.as<float>(),
                      variance.as<float>(), moments.as<double>());
}

void forward(Stream& stream, const BlockProblem& problem, ConstView x, ConstView weight, ConstView gamma,
             ConstView beta, ConstView mean, ConstView variance, View z) {
  if (x.dtype == DType::f64)
    return reference::first_block_forward<double>(problem, x, weight, gamma, beta, mean, variance, z);
  HWY_DYNAMIC_DISPATCH(forward_here)
  (stream, as_one_row(problem), x.as<float>(), weight.as<float>(), gamma.as<float>(), beta.as<float>(),
   mean.as<float>(), variance.as<float>(), z.as<float>());
}

void backward(Stream& stream, const BlockProblem& problem, ConstView x, ConstView weight, ConstView gamma,
              ConstView beta, ConstView mean, ConstView variance, ConstView moments, ConstView dz, View dx,
              View dweight, View dgamma, View dbeta) {
  if (x.dtype == DType::f64) {
    return reference::first_block_backward<double>(problem, x, weight, gamma, beta, mean, variance, dz, dx, dweight,
                                                   dgamma, dbeta);
  }
  HWY_DYNAMIC_DISPATCH(backward_here)
  (stream, as_one_row(problem), x.as<float>(), weight.as<float>(), gamma.as<float>(), beta.as<float>(),
   mean.as<float>(), variance.as<float>(), moments.as<double>(), dz.as<float>(),
   dx.data == nullptr ? nullptr : dx.as<float>(), dweight.as<float>(), dgamma.as<float>(), dbeta.as<float>());
}

}  // namespace

extern const FirstBlockFunctions first_block_functions;
const FirstBlockFunctions first_block_functions{statistics, forward, backward};

}  // namespace melgrad::cpu
#endif
