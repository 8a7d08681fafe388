// Spectral bands on the CPU: one frame a lane through all steps, a group of frames at a time; threads over groups.
//
// Bound by arithmetic and the first two levels of cache: the steps of a group of 16 frames of 2048 samples work on 0.3
// MB. bench/notes.md has the cycles of each step.
#include "kernels/cpu/spectral_bands.h"

#include <cmath>

#include "kernels/arena.h"
#include "kernels/error.h"
#include "kernels/fft.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/spectral_bands.cpp"
#include <hwy/foreach_target.h>
// Below foreach_target.h, which includes this file again for each target.
#include "kernels/cpu/band_steps-inl.h"
#include "kernels/cpu/fft_passes-inl.h"
#include "kernels/cpu/frame_loader-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

class Engine final : public SpectralBandsEngine {
 public:
  explicit Engine(const SpectralBandsOptions& options)
      : options_(options),
        n_fft_(static_cast<int64_t>(options.window.size())),
        loader_(n_fft_, options.hop, options.padding),
        window_(options.window) {
    if (SpectralBands::has_fast_size(n_fft_)) {
      plan_.emplace(n_fft_ / 2);
      functions_ = fft_functions(*plan_);
      for (float& value : window_) value *= 0.5F;  // the half of the split
    } else {
      fft_ = real_fft(n_fft_);
    }
  }

  BandRange compute(ThreadPool& threads, const SignalPart& signal, int64_t first, int64_t last,
                    const BandLogarithm* logarithm, float* y) const override {
    const int64_t count = last - first, grain = loader_.frames();
    std::vector<BandRange> ranges(static_cast<std::size_t>((count + grain - 1) / grain));
    const SignalReader reader(signal, options_.extension);
    parallel_for(threads, count, grain, [&](int64_t begin, int64_t end) {
      ranges[static_cast<std::size_t>(begin / grain)] =
          table(reader, first + begin, end - begin, logarithm, y + begin * bands());
    });
    BandRange all;
    for (const BandRange& range : ranges) all.include(range);
    return all;
  }

 private:
  int64_t bins() const { return n_fft_ / 2 + 1; }
  int64_t bands() const { return options_.filters ? options_.filters->filters() : bins(); }

  // Frames first … first + count - 1, count <= loader_.frames().
  BandRange table(const SignalReader& reader, int64_t first, int64_t count, const BandLogarithm* logarithm,
                  float* y) const {
    constexpr int64_t line = 16;  // floats: where vectors of any width may begin
    const int64_t spectrum = round_up(fft_workspace(), line), table = round_up(loader_.workspace(), line);
    const Buffer buffer =
        arena(Device::cpu)
            .allocate(4 * (table + spectrum + (bins() + (options_.filters ? bands() : 0)) * vector_lanes));
    float* samples = static_cast<float*>(buffer.data());
    float* workspace = samples + table;
    float* powers = workspace + spectrum;
    float* banded = options_.filters ? powers + bins() * vector_lanes : powers;
    loader_.load(reader, first, count, samples);
    BandRange range;
    for (int64_t t = 0; t < count; t += vector_lanes) {
      const FrameSamples frames{samples + t, loader_.offsets(), window_.data()};
      if (plan_) {
        transform(frames, workspace, powers);
      } else {
        transform_any(frames, workspace, powers);
      }
      raise(powers, bins(), options_.power / 2);
      if (options_.filters) apply_filters(*options_.filters, powers, banded);
      const int64_t valid = std::min<int64_t>(vector_lanes, count - t);
      raise(banded, bands(), options_.exponent);
      range.include(scale_bands(logarithm, bands(), valid, banded));
      store_frames(banded, bands(), valid, y + t * bands());
    }
    return range;
  }

  int64_t fft_workspace() const {
    if (plan_) return plan_->buffer_size() * complex_stride * (plan_->passes.size() > 2 ? 2 : 1);
    return lane_count * (n_fft_ + 2 * bins() + 2 * fft_->workspace_size());
  }

  void transform(const FrameSamples& frames, float* workspace, float* powers) const {
    float* x = workspace;
    float* y = workspace + plan_->buffer_size() * complex_stride;
    functions_.first(plan_->passes.front(), frames, x);
    for (std::size_t i = 0; i < functions_.middle.size(); ++i) {
      functions_.middle[i](plan_->passes[i + 1], x, y);
      std::swap(x, y);
    }
    functions_.last(plan_->passes.back(), plan_->split.data(), x, powers);
  }

  // Any size, four frames at a time.
  void transform_any(const FrameSamples& frames, float* workspace, float* powers) const {
    Lanes* x = reinterpret_cast<Lanes*>(workspace);
    auto* spectrum = reinterpret_cast<Complex<Lanes>*>(x + n_fft_);
    constexpr int64_t together = std::min<int64_t>(lane_count, vector_lanes);
    std::fill(x, x + n_fft_, Lanes{});
    for (int64_t lane = 0; lane < vector_lanes; lane += together) {
      for (int64_t n = 0; n < n_fft_; ++n)
        for (int64_t i = 0; i < together; ++i)
          x[n][i] = frames.samples[frames.offsets[n] + lane + i] * frames.window[n];
      fft_->forward(x, spectrum, spectrum + bins());
      for (int64_t k = 0; k < bins(); ++k) {
        const Lanes power = spectrum[k].re * spectrum[k].re + spectrum[k].im * spectrum[k].im;
        for (int64_t i = 0; i < together; ++i) powers[k * vector_lanes + lane + i] = power[i];
      }
    }
  }

  const SpectralBandsOptions& options_;
  int64_t n_fft_;
  FrameLoader loader_;
  std::vector<float> window_;
  std::optional<FftPlan> plan_;
  FftFunctions functions_;
  std::shared_ptr<const RealFft> fft_;
};

void logarithms(const BandLogarithm& logarithm, float* values, int64_t count) {
  const FloatTag d;
  int64_t i = 0;
  for (; i + vector_lanes <= count; i += vector_lanes)
    hn::StoreU(logarithm_of(logarithm, hn::LoadU(d, values + i)), d, values + i);
  if (i == count) return;
  HWY_ALIGN float rest[vector_lanes] = {};
  std::copy(values + i, values + count, rest);
  hn::Store(logarithm_of(logarithm, hn::Load(d, rest)), d, rest);
  std::copy_n(rest, count - i, values + i);
}

std::unique_ptr<SpectralBandsEngine> make_engine(const SpectralBandsOptions& options) {
  return std::make_unique<Engine>(options);
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {

HWY_EXPORT(make_engine);
HWY_EXPORT(logarithms);

std::unique_ptr<SpectralBandsEngine> make_spectral_bands_engine(const SpectralBandsOptions& options) {
  return HWY_DYNAMIC_DISPATCH(make_engine)(options);
}

void apply_logarithm(const BandLogarithm& logarithm, std::span<float> values) {
  HWY_DYNAMIC_DISPATCH(logarithms)(logarithm, values.data(), static_cast<int64_t>(values.size()));
}

}  // namespace melgrad::cpu
#endif
