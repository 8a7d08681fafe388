// Bands of a batch of signals on the CPU: a plan of kernels/spectral_bands.h, made for the call, does one signal after the
// other. Who has many calls keeps a plan instead.
#include "kernels/reference/signal_bands.h"

namespace melgrad::cpu {
namespace {

FilterBank filter_bank(const SignalBandsProblem& p, ConstView filters, ConstView weights) {
  std::vector<float> dense(static_cast<std::size_t>(p.filters * p.bins()));
  for (int64_t f = 0; f < p.filters; ++f) {
    const int32_t* filter = filters.as<int32_t>() + 3 * f;
    std::copy_n(weights.as<float>() + filter[2], filter[1], dense.begin() + f * p.bins() + filter[0]);
  }
  return FilterBank(dense, p.filters, p.bins());
}

void run(Stream& stream, const SignalBandsProblem& p, ConstView x, ConstView window, ConstView, ConstView filters,
         ConstView weights, View y, SpectralAlgorithm) {
  if (x.dtype == DType::f64) return reference::signal_bands<double>(p, x, window, filters, weights, y);
  SpectralBandsOptions options{.window = {window.as<float>(), window.as<float>() + p.n_fft},
                               .hop = p.hop,
                               .padding = p.padding,
                               .extension = p.extension,
                               .power = p.power,
                               .filters = {},
                               .exponent = p.exponent};
  if (p.filters > 0) options.filters = filter_bank(p, filters, weights);
  const SpectralBands plan(std::move(options));
  for (int64_t signal = 0; signal < p.signals; ++signal) {
    const std::span samples(x.as<float>() + signal * p.samples, static_cast<std::size_t>(p.samples));
    plan.compute(stream.threads(), {samples, 0, p.samples}, 0, p.frames, p.logarithm ? &*p.logarithm : nullptr,
                 y.as<float>() + signal * p.frames * p.bands());
  }
}

bool supports(const SignalBandsProblem&, SpectralAlgorithm) {
  return true;
}

SpectralAlgorithm automatic(const SignalBandsProblem&) {
  return SpectralAlgorithm::host;
}

constexpr SpectralAlgorithm algorithms[] = {SpectralAlgorithm::host};

}  // namespace

extern const SignalBandsFunctions signal_bands_functions;
const SignalBandsFunctions signal_bands_functions{algorithms, supports, automatic, run};

}  // namespace melgrad::cpu
