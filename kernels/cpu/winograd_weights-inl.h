// Weights of a Winograd convolution to the transformed domain, and their gradients back, for the instruction set at hand.
// Included once for each; see Highway's foreach_target.
#include <hwy/highway.h>

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

// G w of output block `block`: [point][row tap][channel][width], zeros where there are no channels. `transpose` for the
// data gradient, which sums over o and gives c.
template <class F>
void pack_weights(const Conv2dProblem& p, const float* weight, bool transpose, int64_t block, float* u) {
  const WinogradTag d;
  const int64_t sums = transpose ? p.o : p.c, results = transpose ? p.c : p.o, width = block_width();
  const int64_t channels = padded_channels(sums), point_stride = p.rows.size * channels * width;
  const auto load = [&](int64_t tap, int64_t k, int64_t channel, int64_t result) {
    const int64_t count = channel < sums ? std::min(results - result, lane_total()) : 0;
    const float* row = weight + (tap * 3 + k) * p.c * p.o;
    if (!transpose) return load_lanes(row + channel * p.o + result, count);
    HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)] = {};
    for (int64_t i = 0; i < count; ++i) part[i] = row[(result + i) * p.o + channel];
    return hn::Load(d, part);
  };
  for (int64_t tap = 0; tap < p.rows.size; ++tap)
    for (int64_t channel = 0; channel < channels; ++channel)
      for (int64_t h = 0; h < width; h += lane_total()) {
        const int64_t result = block * width + h;
        const WinogradVector w[] = {load(tap, 0, channel, result), load(tap, 1, channel, result),
                                    load(tap, 2, channel, result)};
        WinogradVector transformed[F::points];
        F::weight(w, transformed);
        for (int point = 0; point < F::points; ++point)
          hn::Store(transformed[point], d, u + point * point_stride + (tap * channels + channel) * width + h);
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
        WinogradVector total[F::points], w[3];
        for (int point = 0; point < F::points; ++point) total[point] = hn::Load(d, from + point * point_stride);
        for (int64_t chunk = 1; chunk < chunks; ++chunk)
          for (int point = 0; point < F::points; ++point)
            total[point] = hn::Add(total[point], hn::Load(d, from + chunk * chunk_stride + point * point_stride));
        F::weight_gradient(total, w);
        for (int k = 0; k < 3; ++k) store_lanes(w[k], dweight + ((tap * 3 + k) * p.c + c) * p.o + o, p.o - o);
      }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
