// A Fourier transform of complex numbers in shared memory, by some threads of a block.
//
// Stockham's algorithm: with l radices' product done, x[j · m + k] is the sum over t of data[k + m t] exp(-2πi j t / l),
// where m = size / l, and the stage of radix p merges p of these:
//
//   y[(j + l r) · m/p + k] = Σ over q of exp(-2πi (j + l r) q / (l p)) · x[j · m + k + q · m/p]
//
// Every stage reads one buffer and writes the other, so that results come out in order and a stage needs one barrier. A
// thread takes a butterfly: p elements into registers, a transform of size p without a table, p elements out.
// Radix 4 comes first: half the passes over shared memory of radix 2, and its butterfly has no multiplication.
// Neighbouring threads have neighbouring k, whose elements are neighbours, until m/p falls below a warp: the last stages
// read p elements side by side, and share banks p-fold.
#pragma once

#include "kernels/cuda/helpers.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {

// Handed to a kernel by value.
struct FftPlan {
  static constexpr int most_stages = 12;
  int size = 1;
  int stages = 0;
  int radices[most_stages] = {};
  Divider rests[most_stages];  // of each stage: m/p

  // No stages if `of_size` is no product of 2s, 3s and 5s.
  explicit FftPlan(int64_t of_size) : size(static_cast<int>(of_size)) {
    int64_t rest = of_size;
    for (int radix : {4, 2, 3, 5})
      for (; rest % radix == 0 && stages < most_stages; rest /= radix, ++stages) {
        radices[stages] = radix;
        rests[stages] = Divider(rest / radix);
      }
    if (rest != 1) stages = 0;
  }
};

__device__ __forceinline__ float2 operator+(float2 a, float2 b) {
  return make_float2(a.x + b.x, a.y + b.y);
}
__device__ __forceinline__ float2 operator-(float2 a, float2 b) {
  return make_float2(a.x - b.x, a.y - b.y);
}
__device__ __forceinline__ float2 operator*(float2 a, float2 b) {
  return make_float2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}
__device__ __forceinline__ float2 times(float factor, float2 a) {
  return make_float2(factor * a.x, factor * a.y);
}
__device__ __forceinline__ float2 times_minus_i(float2 a) {
  return make_float2(a.y, -a.x);
}

// ---- butterflies: a[r] ← Σ over q of exp(-2πi r q / radix) a[q]

__device__ __forceinline__ void butterfly(float2 (&a)[2]) {
  const float2 sum = a[0] + a[1];
  a[1] = a[0] - a[1];
  a[0] = sum;
}
__device__ __forceinline__ void butterfly(float2 (&a)[3]) {
  constexpr float half_sqrt3 = 0.866025403784438647f;
  const float2 sum = a[1] + a[2], turned = times_minus_i(times(half_sqrt3, a[1] - a[2]));
  const float2 middle = a[0] - times(0.5f, sum);
  a[0] = a[0] + sum;
  a[1] = middle + turned;
  a[2] = middle - turned;
}
__device__ __forceinline__ void butterfly(float2 (&a)[4]) {
  const float2 even_sum = a[0] + a[2], even_difference = a[0] - a[2];
  const float2 odd_sum = a[1] + a[3], odd_difference = times_minus_i(a[1] - a[3]);
  a[0] = even_sum + odd_sum;
  a[1] = even_difference + odd_difference;
  a[2] = even_sum - odd_sum;
  a[3] = even_difference - odd_difference;
}
__device__ __forceinline__ void butterfly(float2 (&a)[5]) {
  constexpr float cos1 = 0.309016994374947424f, cos2 = -0.809016994374947424f;  // of 2π/5 and 4π/5
  constexpr float sin1 = 0.951056516295153572f, sin2 = 0.587785252292473129f;
  const float2 sum1 = a[1] + a[4], sum2 = a[2] + a[3], difference1 = a[1] - a[4], difference2 = a[2] - a[3];
  const float2 middle1 = a[0] + times(cos1, sum1) + times(cos2, sum2);
  const float2 middle2 = a[0] + times(cos2, sum1) + times(cos1, sum2);
  const float2 turn1 = times_minus_i(times(sin1, difference1) + times(sin2, difference2));
  const float2 turn2 = times_minus_i(times(sin2, difference1) - times(sin1, difference2));
  a[0] = a[0] + sum1 + sum2;
  a[1] = middle1 + turn1;
  a[2] = middle2 + turn2;
  a[3] = middle2 - turn2;
  a[4] = middle1 - turn1;
}

// ---- stages

// Thread `thread` of `threads`. roots (2 · size): exp(-2πi k / (2 · size)), which the split of a real signal wants too.
template <int radix>
__device__ __forceinline__ void fft_stage(int size, const Divider& rest_divider, Global<const float2> roots,
                                          Shared<float2> x, Shared<float2> y, int thread, int threads) {
  const int rest = static_cast<int>(rest_divider.divisor());
  const int done = size / (radix * rest);
  for (int index = thread; index < size / radix; index += threads) {
    int64_t quotient = index;
    const int k = static_cast<int>(rest_divider.split(quotient)), j = static_cast<int>(quotient);
    float2 a[radix];
    MELGRAD_UNROLL
    for (int q = 0; q < radix; ++q) {
      a[q] = x[(j * radix + q) * rest + k];
      if (q > 0) a[q] = a[q] * roots[2 * j * q * rest];
    }
    butterfly(a);
    MELGRAD_UNROLL
    for (int r = 0; r < radix; ++r) y[(j + done * r) * rest + k] = a[r];
  }
}

// The transform of x. Returns which buffer has it, x or y: the other is free. All threads of the block come, those
// without a signal of their own too: there is a barrier behind each stage, and one is expected to be behind x.
__device__ __forceinline__ bool fft(const FftPlan& plan, Global<const float2> roots, Shared<float2> x, Shared<float2> y,
                                    int thread, int threads) {
  bool swapped = false;
  for (int stage = 0; stage < plan.stages; ++stage, swapped = !swapped) {
    const Shared<float2> from = swapped ? y : x, to = swapped ? x : y;
    const Divider& rest = plan.rests[stage];
    switch (plan.radices[stage]) {
      case 2:
        fft_stage<2>(plan.size, rest, roots, from, to, thread, threads);
        break;
      case 3:
        fft_stage<3>(plan.size, rest, roots, from, to, thread, threads);
        break;
      case 4:
        fft_stage<4>(plan.size, rest, roots, from, to, thread, threads);
        break;
      default:
        fft_stage<5>(plan.size, rest, roots, from, to, thread, threads);
    }
    __syncthreads();
  }
  return swapped;
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
