// z of a first block, computed from x in registers wherever it is needed, for the instruction set at hand. Included once for
// each; see Highway's foreach_target.
#include <hwy/highway.h>

#include "kernels/cpu/block_activation-inl.h"
#include "kernels/cpu/first_block.h"

#if defined(MELGRAD_KERNELS_CPU_FIRST_BLOCK_FORWARD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_FIRST_BLOCK_FORWARD_INL_H_
#undef MELGRAD_KERNELS_CPU_FIRST_BLOCK_FORWARD_INL_H_
#else
#define MELGRAD_KERNELS_CPU_FIRST_BLOCK_FORWARD_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

HWY_INLINE int64_t first_block_lanes() {
  return static_cast<int64_t>(hn::Lanes(MapTag()));
}

// A piece's channels from `channel` on: their weights in registers.
template <int taps, int vectors>
struct Products {
  MapVector w[taps][vectors];

  HWY_INLINE Products(const Channels& channels, int64_t channel) {
    for (int k = 0; k < taps; ++k)
      for (int v = 0; v < vectors; ++v)
        w[k][v] = hn::LoadU(MapTag(), channels.weight.data() + k * channels.padded + channel + v * first_block_lanes());
  }
  // y at the position that `x` points at.
  HWY_INLINE void at(const float* x, const int64_t* offsets, MapVector* y) const {
    const MapTag d;
    for (int v = 0; v < vectors; ++v) y[v] = hn::Mul(hn::Set(d, x[offsets[0]]), w[0][v]);
    for (int k = 1; k < taps; ++k) {
      const MapVector value = hn::Set(d, x[offsets[k]]);
      for (int v = 0; v < vectors; ++v) y[v] = hn::MulAdd(value, w[k][v], y[v]);
    }
  }
};

// z = f(scale · (y* - center) + beta)
template <int vectors>
struct Normalise {
  MapVector scale[vectors], center[vectors], beta[vectors];
  BlockActivation f;

  HWY_INLINE Normalise(const Channels& channels, int64_t channel, ActivationChoice choice) : f(choice) {
    for (int v = 0; v < vectors; ++v) {
      const int64_t at = channel + v * first_block_lanes();
      scale[v] = hn::LoadU(MapTag(), channels.scale.data() + at);
      center[v] = hn::LoadU(MapTag(), channels.center.data() + at);
      beta[v] = hn::LoadU(MapTag(), channels.beta.data() + at);
    }
  }
  HWY_INLINE MapVector operator()(MapVector best, int v) const {
    return f(hn::MulAdd(scale[v], hn::Sub(best, center[v]), beta[v]));
  }
};

// store(window, vector, z) of `windows` windows side by side, `vectors` vectors of channels from `channel` on.
template <int taps, int vectors, class Store>
HWY_INLINE void normalised_windows(const PatchReader& reader, const float* patch, const Channels& channels,
                                   int64_t channel, ActivationChoice f, int64_t windows, const Store& store) {
  const Products<taps, vectors> products(channels, channel);
  const Normalise<vectors> normalise(channels, channel, f);
  const auto positions = static_cast<int64_t>(reader.positions.size());
  for (int64_t j = 0; j < windows; ++j, patch += reader.window_step) {
    MapVector best[vectors], y[vectors];
    products.at(patch + reader.positions[0], reader.taps, best);
    for (int64_t tap = 1; tap < positions; ++tap) {
      products.at(patch + reader.positions[static_cast<std::size_t>(tap)], reader.taps, y);
      for (int v = 0; v < vectors; ++v) best[v] = hn::IfThenElse(hn::Gt(y[v], best[v]), y[v], best[v]);
    }
    for (int v = 0; v < vectors; ++v) store(j, v, normalise(best[v], v));
  }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
