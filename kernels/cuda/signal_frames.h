// What the two ways to the bands of a signal share: the samples of a frame, and what becomes of its powers.
#pragma once

#include "kernels/cuda/helpers.h"
#include "kernels/signal_bands.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

// Which samples a frame has.
struct Frames {
  Divider frames;  // of a signal
  int64_t count, samples, hop, padding;
  bool reflect;

  explicit Frames(const SignalBandsProblem& p)
      : frames(p.frames),
        count(p.signals * p.frames),
        samples(p.samples),
        hop(p.hop),
        padding(p.padding),
        reflect(p.extension == Extension::reflect) {}

  // The sample at `index` of a signal, which may lie outside of it.
  __device__ __forceinline__ float sample(Global<const float> signal, int64_t index) const {
    if (index >= 0 && index < samples) return signal[index];
    if (!reflect) return 0.0f;
    if (samples == 1) return signal[0];
    const int64_t period = 2 * (samples - 1), position = (index % period + period) % period;
    return signal[position < samples ? position : period - position];
  }
};

struct Filters {
  Global<const int32_t> table;  // (count, 3): first bin, bins, first weight
  Global<const float> weights;
  int count;
};

// What becomes of a band.
struct Scaling {
  float power_exponent;  // of |X|²
  float exponent;
  bool logarithm;
  BandLogarithm numbers;

  explicit Scaling(const SignalBandsProblem& p)
      : power_exponent(static_cast<float>(p.power / 2)),
        exponent(static_cast<float>(p.exponent)),
        logarithm(p.logarithm.has_value()),
        numbers(p.logarithm.value_or(BandLogarithm{})) {}

  __device__ __forceinline__ static float raise(float x, float exponent) {
    if (exponent == 1.0f) return x;
    return exponent == 0.5f ? sqrtf(x) : powf(x, exponent);
  }
  __device__ __forceinline__ float band(float x) const {
    x = raise(x, exponent);
    if (!logarithm) return x;
    // ln(1 + x) by its own function, which keeps the digits of a small x. A NaN stays one.
    const float gained = numbers.gain * x;
    const float ln =
        numbers.offset == 1.0f ? log1pf(larger(numbers.floor - 1.0f, gained)) : logf(larger(numbers.floor, gained));
    return numbers.factor * ln + numbers.shift;
  }
};

// Filters of one frame by whole warps, a filter each: the lanes read neighbouring bins and add up what they have.
// `powers` of one frame, in shared or global memory.
template <class Powers>
__device__ __forceinline__ void apply_filters(const Filters& filters, const Scaling& scaling, Powers powers,
                                              Global<float> y, int thread, int frame_threads) {
  const int lane = thread % 32;
  for (int filter = thread / 32; filter < filters.count; filter += frame_threads / 32) {
    const int first = filters.table[3 * filter], bins = filters.table[3 * filter + 1];
    const Global<const float> weights = filters.weights + filters.table[3 * filter + 2];
    float sum = 0.0f;
    for (int i = lane; i < bins; i += 32) sum += weights[i] * powers[first + i];
    sum = warp_reduce(sum, Sum());
    if (lane == 0) y[filter] = scaling.band(sum);
  }
}

// kernels/cuda/signal_bands_cufft.cu
void signal_bands_cufft(Stream& stream, const SignalBandsProblem& p, ConstView x, ConstView window,
                        const Filters& filters, View y);

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
