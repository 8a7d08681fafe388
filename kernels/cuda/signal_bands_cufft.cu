// Bands of short-time spectra with cuFFT: windowed frames in memory, the library's transform of many at once, then powers
// and filters.
//
// Algorithm: a thread a sample copies frames through the window; cuFFT makes spectra of them; a thread a bin makes powers;
// a warp a filter and frame adds them up. Frames go through in batches of at most 16 M samples, in the same memory.
// Bottleneck: global memory, which sees each frame six times where the fused kernel (kernels/cuda/signal_bands.cu) keeps
// it in shared memory. What it is for: sizes that the fused kernel does not take, and a comparison.
// Launch: blocks of 256 threads, enough to fill the GPU; the filters eight warps a block, one frame each.
#include "kernels/cuda/cufft_transform.h"
#include "kernels/cuda/signal_frames.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads)
    windowed_frames_kernel(Frames frames, int64_t first_frame, int64_t n, Divider n_fft, Global<const float> x,
                           Global<const float> window, Global<float> windowed) {
  for_each_index(n, [&](int64_t i) {
    int64_t signal = i;
    const int64_t at = n_fft.split(signal);
    signal += first_frame;
    const int64_t start = frames.frames.split(signal) * frames.hop - frames.padding;
    windowed[i] = frames.sample(x + signal * frames.samples, start + at) * window[at];
  });
}

// |X|^power; where there are no filters these are the bands.
__global__ void __launch_bounds__(threads)
    powers_kernel(int64_t n, Scaling scaling, bool are_bands, Global<const float2> spectra, Global<float> powers) {
  for_each_index(n, [&](int64_t i) {
    const float2 value = spectra[i];
    const float power = Scaling::raise(value.x * value.x + value.y * value.y, scaling.power_exponent);
    powers[i] = are_bands ? scaling.band(power) : power;
  });
}

__global__ void __launch_bounds__(threads)
    filters_kernel(Filters filters, Scaling scaling, int64_t bins, Global<const float> powers, Global<float> y) {
  const int64_t frame = blockIdx.x;
  apply_filters(filters, scaling, powers + frame * bins, y + frame * filters.count, static_cast<int>(threadIdx.x),
                threads);
}

}  // namespace

void signal_bands_cufft(Stream& stream, const SignalBandsProblem& p, ConstView x, ConstView window,
                        const Filters& filters, View y) {
  // On simt so few that tests come by more than one batch.
  constexpr int64_t samples_at_once = int64_t{1} << (libraries_are_real ? 24 : 10);
  const int64_t all = p.signals * p.frames, bins = p.bins();
  const int64_t batch = std::clamp<int64_t>(samples_at_once / p.n_fft, 1, all);
  const auto floats = [&](int64_t count) { return stream.workspace(count * size_of(DType::f32)); };
  const Buffer frame_memory = floats(batch * p.n_fft), spectrum_memory = floats(2 * batch * bins);
  const Buffer power_memory = floats(p.filters > 0 ? batch * bins : 0);
  const Global<float> windowed = global<float>(frame_memory), spectra = global<float>(spectrum_memory);
  for (int64_t first = 0; first < all; first += batch) {
    const int64_t count = std::min(batch, all - first), samples = count * p.n_fft, values = count * bins;
    const Global<float> bands = global<float>(y) + first * p.bands();
    launch<windowed_frames_kernel>(striding_blocks(samples, threads), threads, 0, stream, Frames(p), first, samples,
                                   Divider(p.n_fft), global<const float>(x), global<const float>(window), windowed);
    cufft_real_forward(stream, p.n_fft, count, static_cast<float*>(frame_memory.data()),
                       static_cast<float*>(spectrum_memory.data()));
    const Global<float> powers = p.filters > 0 ? global<float>(power_memory) : bands;
    launch<powers_kernel>(striding_blocks(values, threads), threads, 0, stream, values, Scaling(p), p.filters == 0,
                          vector_cast<const float2>(spectra), powers);
    if (p.filters > 0)
      launch<filters_kernel>(blocks_for(count, 1), threads, 0, stream, filters, Scaling(p), bins, powers, bands);
  }
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
