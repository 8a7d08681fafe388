#include "kernels/spectral_bands.h"

#include <algorithm>

#include "kernels/cpu/fft_plan.h"
#include "kernels/cpu/spectral_bands.h"
#include "kernels/error.h"
#include "kernels/fft.h"

namespace melgrad {
namespace {

int64_t n_fft(const SpectralBandsOptions& options) {
  return static_cast<int64_t>(options.window.size());
}

// Throws unless the samples of frames first … last - 1, and those that their extension mirrors, are at hand.
void expect_samples(const SpectralBandsOptions& options, const SignalPart& signal, int64_t first, int64_t last) {
  const int64_t begin = first * options.hop - options.padding;
  const int64_t end = (last - 1) * options.hop - options.padding + n_fft(options);
  int64_t from = std::max<int64_t>(begin, 0), to = std::min(end, signal.length);
  if (options.extension == Extension::reflect) {
    if (end > signal.length) from = std::min(from, std::max<int64_t>(0, 2 * (signal.length - 1) - (end - 1)));
    if (begin < 0) to = std::max(to, std::min(signal.length, 1 - begin)), from = 0;
  }
  const int64_t position = signal.first, held = position + static_cast<int64_t>(signal.samples.size());
  require(from >= to || (position <= from && to <= held),
          "spectral_bands: frames {} … {} need samples {} … {}, there are {} … {}", first, last - 1, from, to - 1,
          position, held - 1);
}

}  // namespace

void BandRange::include(const BandRange& other) {
  lowest = std::min(lowest, other.lowest);
  highest = std::max(highest, other.highest);
  finite = finite && other.finite;
}

void apply_logarithm(const BandLogarithm& logarithm, std::span<float> values) {
  cpu::apply_logarithm(logarithm, values);
}

SpectralBands::SpectralBands(SpectralBandsOptions options) {
  require(!options.window.empty(), "spectral_bands: the window is empty");
  require(options.hop >= 1, "spectral_bands: hop {}, expected at least 1", options.hop);
  require(options.padding >= 0, "spectral_bands: padding {} is negative", options.padding);
  const int64_t bins = n_fft(options) / 2 + 1;
  require(!options.filters || options.filters->bins() == bins, "spectral_bands: filters for {} bins, expected {}",
          options.filters ? options.filters->bins() : 0, bins);
  options_ = std::make_shared<const SpectralBandsOptions>(std::move(options));
  engine_ = cpu::make_spectral_bands_engine(*options_);
}

int64_t SpectralBands::bands() const {
  return options_->filters ? options_->filters->filters() : n_fft(*options_) / 2 + 1;
}

bool SpectralBands::has_fast_size(int64_t n) {
  return n % 2 == 0 && !cpu::fft_radices(n / 2).empty();
}

BandRange SpectralBands::compute(ThreadPool& threads, const SignalPart& signal, int64_t first, int64_t last,
                                 const BandLogarithm* logarithm, float* y) const {
  if (first >= last) return {};
  require(first >= 0 && signal.length >= 1, "spectral_bands: frames from {} of a signal of {} samples", first,
          signal.length);
  expect_samples(*options_, signal, first, last);
  return engine_->compute(threads, signal, first, last, logarithm, y);
}

Cost SpectralBands::cost(int64_t frames) const {
  const int64_t n = n_fft(*options_), bins = n / 2 + 1;
  const int64_t filters = options_->filters ? options_->filters->cost().flops : 0;
  const int64_t samples = std::min(n, options_->hop);
  return {frames * (n + real_fft_cost(n).flops + 3 * bins + filters + 20 * bands()), frames * 4 * (samples + bands())};
}

}  // namespace melgrad
