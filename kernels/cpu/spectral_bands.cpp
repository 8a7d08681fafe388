// Spectral bands on the CPU: one frame a lane through all steps, a group of frames at a time; threads over groups.
//
// Bound by arithmetic and the first two levels of cache: the steps of a group of 16 frames of 2048 samples work on 0.3
// MB. Of longer frames a group would not fit, so each is transformed by itself, with all lanes, and only its bins that
// filters use join those of the group. bench/notes.md has the cycles of each step.
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
#include "kernels/cpu/frame_spectra-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

class Engine final : public SpectralBandsEngine {
 public:
  explicit Engine(const SpectralBandsOptions& options) : options_(options) {
    const auto n_fft = static_cast<int64_t>(options.window.size());
    used_ = {0, n_fft / 2 + 1};
    if (options.filters) used_ = used_bins(*options.filters);
    if (n_fft > longest_in_groups && OneFrameFft::takes(n_fft)) {
      spectra_ = std::make_unique<SpectraOneByOne>(options, used_);
    } else if (SpectralBands::has_fast_size(n_fft)) {
      spectra_ = std::make_unique<SpectraOfGroups>(options);
    } else {
      spectra_ = std::make_unique<SpectraOfAnySize>(options);
    }
  }

  BandRange compute(ThreadPool& threads, const SignalPart& signal, int64_t first, int64_t last,
                    const BandLogarithm* logarithm, float* y) const override {
    const int64_t count = last - first, grain = spectra_->frames();
    std::vector<BandRange> ranges(static_cast<std::size_t>((count + grain - 1) / grain));
    const SignalReader reader(signal, options_.extension);
    parallel_for(threads, count, grain, [&](int64_t begin, int64_t end) {
      ranges[static_cast<std::size_t>(begin / grain)] =
          some_frames(reader, first + begin, end - begin, logarithm, y + begin * bands());
    });
    BandRange all;
    for (const BandRange& range : ranges) all.include(range);
    return all;
  }

 private:
  static constexpr int64_t longest_in_groups = 2048;

  int64_t bins() const { return static_cast<int64_t>(options_.window.size()) / 2 + 1; }
  int64_t bands() const { return options_.filters ? options_.filters->filters() : bins(); }

  // Frames first … first + count - 1, count <= spectra_->frames().
  BandRange some_frames(const SignalReader& signal, int64_t first, int64_t count, const BandLogarithm* logarithm,
                        float* y) const {
    const int64_t spectra = round_up(spectra_->workspace(), floats_a_line);
    const int64_t floats = spectra + (bins() + (options_.filters ? bands() : 0)) * vector_lanes;
    const Buffer buffer = arena(Device::cpu).allocate(4 * floats);
    auto* workspace = static_cast<float*>(buffer.data());
    float* powers = workspace + spectra;
    float* values = options_.filters ? powers + bins() * vector_lanes : powers;
    spectra_->load(signal, first, count, workspace);
    BandRange range;
    for (int64_t t = 0; t < count; t += vector_lanes) {
      const int64_t valid = std::min<int64_t>(vector_lanes, count - t);
      spectra_->transform(signal, first + t, valid, t, workspace, powers);
      raise(powers + used_.first * vector_lanes, used_.last - used_.first, options_.power / 2);
      if (options_.filters) apply_filters(*options_.filters, powers, values);
      raise(values, bands(), options_.exponent);
      range.include(scale_bands(logarithm, bands(), valid, values));
      store_frames(values, bands(), valid, y + t * bands());
    }
    return range;
  }

  const SpectralBandsOptions& options_;
  Bins used_;
  std::unique_ptr<FrameSpectra> spectra_;
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
