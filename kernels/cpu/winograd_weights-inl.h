// Weights of a Winograd convolution to the transformed domain, and their gradients back, for the instruction set at hand.
// Included once for each; see Highway's foreach_target.
#include <hwy/highway.h>

#include "kernels/cpu/vectors-inl.h"
#include "kernels/cpu/winograd_engine-inl.h"

#if defined(MELGRAD_KERNELS_CPU_WINOGRAD_WEIGHTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_WINOGRAD_WEIGHTS_INL_H_
#undef MELGRAD_KERNELS_CPU_WINOGRAD_WEIGHTS_INL_H_
#else
#define MELGRAD_KERNELS_CPU_WINOGRAD_WEIGHTS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// Floats of one output block, `channels` being those that products sum over.
template <class F>
int64_t packed_weight_floats(int64_t taps, int64_t channels) {
  return F::points * taps * padded_channels(channels) * block_width();
}

// rows[k][j] ← the weights of column tap k between channel + j and lane after lane of results from `result` on, those of
// `row` (taps, c, o). As they lie for the forward pass; for the data gradient, which sums over o and gives c, turned around.
template <int taps>
void load_weights(const Conv2dProblem& p, const float* row, bool transpose_them, int64_t channel, int64_t result,
                         WinogradVector (*rows)[HWY_MAX_BYTES / sizeof(float)]) {
  const int64_t sums = transpose_them ? p.o : p.c, results = transpose_them ? p.c : p.o;
  for (int64_t k = 0; k < taps; ++k, row += p.c * p.o) {
    for (int64_t j = 0; j < lane_total(); ++j) {
      // Forward, row j is a channel; turned around, it is a result.
      const int64_t first = (transpose_them ? result : channel) + j, second = transpose_them ? channel : result;
      const bool inside = first < (transpose_them ? results : sums);
      rows[k][j] = inside ? load_lanes(row + first * p.o + second, (transpose_them ? sums : results) - second)
                          : hn::Zero(WinogradTag());
    }
    if (transpose_them) transpose(rows[k]);
  }
}

// G w of output block `block`: [point][row tap][channel][width], zeros where there are no channels. `transpose_them` for
// the data gradient. `scale`, where there is one, has a factor for each result (whole vectors).
template <class F>
void pack_weights(const Conv2dProblem& p, const float* weight, bool transpose_them, int64_t block, float* u,
                  const float* scale = nullptr) {
  const WinogradTag d;
  const int64_t lanes = lane_total(), width = block_width(), channels = padded_channels(transpose_them ? p.o : p.c);
  const int64_t point_stride = p.rows.size * channels * width;
  WinogradVector rows[F::taps][HWY_MAX_BYTES / sizeof(float)], transformed[F::points];
  for (int64_t tap = 0; tap < p.rows.size; ++tap)
    for (int64_t channel = 0; channel < channels; channel += lanes)
      for (int64_t h = 0; h < width; h += lanes) {
        load_weights<F::taps>(p, weight + tap * F::taps * p.c * p.o, transpose_them, channel, block * width + h, rows);
        const WinogradVector factor = scale == nullptr ? constant(1) : hn::LoadU(d, scale + block * width + h);
        for (int64_t j = 0; j < lanes; ++j) {
          WinogradVector w[F::taps];
          for (int k = 0; k < F::taps; ++k) w[k] = hn::Mul(factor, rows[k][j]);
          F::weight(w, transformed);
          for (int point = 0; point < F::points; ++point)
            hn::Store(transformed[point], d, u + point * point_stride + (tap * channels + channel + j) * width + h);
        }
      }
}

// dweight = Gᵀ of the sums [chunk][point][output block][row tap][channel][width], chunks added in order.
template <class F>
void unpack_weight_gradient(const Conv2dProblem& p, const float* sums, int64_t chunks, int64_t block, float* dweight) {
  const WinogradTag d;
  const int64_t width = block_width(), channels = padded_channels(p.c), size = p.rows.size * channels * width;
  const int64_t point_stride = channel_blocks(p.o) * size, chunk_stride = F::points * point_stride;
  for (int64_t tap = 0; tap < p.rows.size; ++tap)
    for (int64_t c = 0; c < p.c; ++c)
      for (int64_t h = 0; h < width; h += lane_total()) {
        const int64_t o = block * width + h;
        if (o >= p.o) break;
        const float* from = sums + block * size + (tap * channels + c) * width + h;
        WinogradVector total[F::points], w[F::taps];
        for (int point = 0; point < F::points; ++point) total[point] = hn::Load(d, from + point * point_stride);
        for (int64_t chunk = 1; chunk < chunks; ++chunk)
          for (int point = 0; point < F::points; ++point)
            total[point] = hn::Add(total[point], hn::Load(d, from + chunk * chunk_stride + point * point_stride));
        F::weight_gradient(total, w);
        for (int k = 0; k < F::taps; ++k) store_lanes(w[k], dweight + ((tap * F::taps + k) * p.c + c) * p.o + o, p.o - o);
      }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
