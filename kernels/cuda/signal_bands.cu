// Bands of short-time spectra, from samples to logarithms in one kernel.
//
// Algorithm: 32 to 256 threads take a frame. They load it through the window as complex numbers z[i] = x[2i] + i x[2i + 1],
// half as many as samples, and transform these in shared memory (kernels/cuda/fft.h). The spectrum of the real signal is
// split off Z, whose even and odd part are the spectra of the even and the odd samples:
//
//   X[k] = (Z[k] + conj Z[m-k]) / 2  -  i exp(-2πi k / n) (Z[k] - conj Z[m-k]) / 2,   m = n/2
//
// and only |X[k]|^power is kept, in the buffer that the transform no longer needs. Then a warp takes a filter: its lanes
// read neighbouring bins and add up what they have; the first writes the band.
// Bottleneck: shared memory: each stage of the transform passes over the frame once. Global memory sees every sample
// n_fft / hop times, nearly always in the cache, and the bands once.
// cufft: frames in memory, the library's transform, and the rest (kernels/cuda/signal_bands_cufft.cu).
// Launch: blocks of 256 threads, 1 to 8 frames in each, 4 to 96 KB of shared memory: two buffers a frame.
#include "kernels/cuda/fft.h"
#include "kernels/cuda/signal_frames.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;

// The frame through the window, two samples an element.
__device__ __forceinline__ void load_frame(const Frames& frames, int64_t frame, Global<const float> x,
                                           Global<const float> window, Shared<float2> z, int size, int thread,
                                           int frame_threads) {
  int64_t signal = frame;
  const int64_t start = frames.frames.split(signal) * frames.hop - frames.padding;
  const Global<const float> samples = x + signal * frames.samples;
  for (int i = thread; i < size; i += frame_threads)
    z[i] = make_float2(frames.sample(samples, start + 2 * i) * window[2 * i],
                       frames.sample(samples, start + 2 * i + 1) * window[2 * i + 1]);
}

// |X[k]|^power for k = 0 … m from Z.
__device__ __forceinline__ void split_powers(const Scaling& scaling, Global<const float2> roots, Shared<float2> z,
                                             Shared<float> powers, int m, int thread, int frame_threads) {
  for (int k = thread; k <= m; k += frame_threads) {
    const float2 a = z[k == m ? 0 : k];
    const float2 b = z[k == 0 ? 0 : m - k];
    const float2 even = make_float2(0.5f * (a.x + b.x), 0.5f * (a.y - b.y));
    const float2 odd = times_minus_i(make_float2(0.5f * (a.x - b.x), 0.5f * (a.y + b.y)));
    const float2 spectrum = even + odd * roots[k];
    powers[k] = Scaling::raise(spectrum.x * spectrum.x + spectrum.y * spectrum.y, scaling.power_exponent);
  }
}

__global__ void __launch_bounds__(threads)
    signal_bands_kernel(Frames frames, FftPlan plan, Filters filters, Scaling scaling, int frame_threads,
                        Global<const float> x, Global<const float> window, Global<const float2> roots,
                        Global<float> y) {
  const int slot = static_cast<int>(threadIdx.x) / frame_threads,
            thread = static_cast<int>(threadIdx.x) % frame_threads;
  const int64_t frame = int64_t{blockIdx.x} * (threads / frame_threads) + slot;
  const bool active = frame < frames.count;  // the others keep the barriers company
  const int m = plan.size;
  const int64_t bytes = m * int64_t{sizeof(float2)};
  const Shared<float2> first = dynamic_shared<float2>(2 * slot * bytes);
  const Shared<float2> second = dynamic_shared<float2>((2 * slot + 1) * bytes);
  load_frame(frames, active ? frame : 0, x, window, first, m, thread, frame_threads);
  __syncthreads();
  const bool in_second = fft(plan, roots, first, second, thread, frame_threads);
  const Shared<float> powers = vector_cast<float>(in_second ? first : second);
  split_powers(scaling, roots, in_second ? second : first, powers, m, thread, frame_threads);
  __syncthreads();
  if (!active) return;
  const int bands = filters.count > 0 ? filters.count : m + 1;
  const Global<float> row = y + frame * bands;
  if (filters.count > 0) return apply_filters(filters, scaling, powers, row, thread, frame_threads);
  for (int k = thread; k <= m; k += frame_threads) row[k] = scaling.band(powers[k]);
}

bool supports(const SignalBandsProblem& p, SpectralAlgorithm algorithm) {
  if (algorithm == SpectralAlgorithm::cufft) return p.n_fft >= 2;
  // Two buffers of n / 2 complex numbers in the 99 KB that every GPU has.
  constexpr int64_t least = 16, most = 12288;
  return p.n_fft % 2 == 0 && p.n_fft >= least && p.n_fft <= most && FftPlan(p.n_fft / 2).stages > 0;
}

// The library only where there is no way around it, and never its stand-in.
SpectralAlgorithm automatic(const SignalBandsProblem& p) {
  return libraries_are_real && !supports(p, SpectralAlgorithm::fused) ? SpectralAlgorithm::cufft
                                                                      : SpectralAlgorithm::fused;
}

// A thread a butterfly of radix 4, in whole warps.
int threads_of_frame(int64_t size) {
  int count = 32;
  while (count < threads && count < size / 4) count *= 2;
  return count;
}

void run(Stream& stream, const SignalBandsProblem& p, ConstView x, ConstView window, ConstView roots, ConstView filters,
         ConstView weights, View y, SpectralAlgorithm algorithm) {
  const Filters bank{global<const int32_t>(filters), global<const float>(weights), static_cast<int>(p.filters)};
  if (algorithm == SpectralAlgorithm::cufft) return signal_bands_cufft(stream, p, x, window, bank, y);
  const FftPlan plan(p.n_fft / 2);
  const int frame_threads = threads_of_frame(plan.size), frames_a_block = threads / frame_threads;
  const int64_t shared = 2 * frames_a_block * plan.size * static_cast<int64_t>(sizeof(float2));
  launch<signal_bands_kernel>(blocks_for(p.signals * p.frames, frames_a_block), threads, shared, stream, Frames(p),
                              plan, bank, Scaling(p), frame_threads, global<const float>(x),
                              global<const float>(window), vector_cast<const float2>(global<const float>(roots)),
                              global<float>(y));
}

constexpr SpectralAlgorithm algorithms[] = {SpectralAlgorithm::fused, SpectralAlgorithm::cufft};

}  // namespace

MELGRAD_EXPORT_FUNCTIONS(SignalBandsFunctions, signal_bands, algorithms, supports, automatic, run)

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
