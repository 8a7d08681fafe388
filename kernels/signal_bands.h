// The bands of a batch of signals on any device: frames · window · real FFT · |X|^power · filters · logarithm, as
// kernels/spectral_bands.h has them for one signal on the host, which is what runs on the CPU.
//
// x (signals, samples), y (signals, frames, bands). Frame t of a signal is samples t · hop - padding … + n_fft - 1; what is
// not there, `extension` gives.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "kernels/filter_bank.h"
#include "kernels/spectral_bands.h"
#include "kernels/stream.h"
#include "kernels/view.h"

namespace melgrad {

struct SignalBandsProblem {
  int64_t signals = 1, samples = 1;
  int64_t n_fft = 2, hop = 1, padding = 0;
  int64_t frames = 1;  // of each signal, from the first on
  Extension extension = Extension::zero;
  double power = 2;     // of the magnitude
  int64_t filters = 0;  // 0: the bins themselves are the bands
  double exponent = 1;  // each band is raised to it
  std::optional<BandLogarithm> logarithm = {};

  int64_t bins() const { return n_fft / 2 + 1; }
  int64_t bands() const { return filters > 0 ? filters : bins(); }
  Shape x_shape() const { return {signals, samples}; }
  Shape y_shape() const { return {signals, frames, bands()}; }
};

enum class SpectralAlgorithm : uint8_t {
  automatic,
  host,   // cpu: kernels/spectral_bands.h
  fused,  // cuda, simt: one kernel, the transform in shared memory
  cufft,  // cuda (simt: a stand-in): the library's transform between kernels of ours; any n_fft from 2 on
};

template <>
inline constexpr EnumNames<SpectralAlgorithm, 4> enum_names<SpectralAlgorithm>{
    {{SpectralAlgorithm::automatic, "automatic"},
     {SpectralAlgorithm::host, "host"},
     {SpectralAlgorithm::fused, "fused"},
     {SpectralAlgorithm::cufft, "cufft"}}};

// What is built for the device, and whether it takes these sizes: `fused` an even n_fft from 16 to 12,288 whose half is a
// product of 2s, 3s and 5s.
std::span<const SpectralAlgorithm> signal_bands_algorithms(Device device);
bool signal_bands_supports(Device device, const SignalBandsProblem& problem, SpectralAlgorithm algorithm);

// A plan's numbers, made once on the host and kept on the device:
//   window (n_fft);
//   roots (n_fft, 2): exp(-2πi k / n_fft), real and imaginary part;
//   filters (filters, 3), i32: a filter's first bin, how many it has, where its weights begin; empty without filters;
//   weights: of all filters.
std::vector<float> fourier_roots(int64_t n);
struct FilterTable {
  std::vector<int32_t> filters;
  std::vector<float> weights;
};
FilterTable filter_table(const FilterBank& bank);

void signal_bands(Stream& stream, const SignalBandsProblem& problem, ConstView x, ConstView window, ConstView roots,
                  ConstView filters, ConstView weights, View y, SpectralAlgorithm algorithm = {});

// Nominal for the transform, as kernels/fft.h counts; a sample is read once, however many frames it is in.
Cost signal_bands_cost(const SignalBandsProblem& problem, int64_t filter_weights);

struct SignalBandsFunctions {
  std::span<const SpectralAlgorithm> algorithms;
  bool (*supports)(const SignalBandsProblem&, SpectralAlgorithm);
  SpectralAlgorithm (*automatic)(const SignalBandsProblem&);
  decltype(&signal_bands) run;  // never `automatic`
};

}  // namespace melgrad
