#include "kernels/signal_bands.h"

#include <cmath>
#include <numbers>

#include "kernels/check.h"
#include "kernels/dispatch.h"
#include "kernels/fft.h"

namespace melgrad {
namespace cpu {
extern const SignalBandsFunctions signal_bands_functions;
}
namespace simt {
extern const SignalBandsFunctions signal_bands_functions;
}

namespace {

constexpr const char* operation = "signal_bands";

const SignalBandsFunctions& functions(Device device) {
  return functions_for(operation, device, &cpu::signal_bands_functions, &simt::signal_bands_functions);
}

void expect_problem(const SignalBandsProblem& p) {
  require(p.signals >= 0 && p.samples >= 1 && p.frames >= 0, "{}: {} signals of {} samples, {} frames", operation,
          p.signals, p.samples, p.frames);
  require(p.n_fft >= 1 && p.hop >= 1 && p.padding >= 0 && p.filters >= 0,
          "{}: n_fft {}, hop {}, padding {}, {} filters; expected none negative, the first two positive", operation,
          p.n_fft, p.hop, p.padding, p.filters);
  require(std::isfinite(p.power) && p.power > 0 && std::isfinite(p.exponent),
          "{}: power {}, exponent {}; expected finite numbers, the first positive", operation, p.power, p.exponent);
}

}  // namespace

std::span<const SpectralAlgorithm> signal_bands_algorithms(Device device) {
  return functions(device).algorithms;
}

bool signal_bands_supports(Device device, const SignalBandsProblem& problem, SpectralAlgorithm algorithm) {
  return functions(device).supports(problem, algorithm);
}

std::vector<float> fourier_roots(int64_t n) {
  std::vector<float> roots;
  for (int64_t k = 0; k < n; ++k) {
    const Complex<float> root = root_of_unity(k, n);
    roots.insert(roots.end(), {root.re, root.im});
  }
  return roots;
}

FilterTable filter_table(const FilterBank& bank) {
  FilterTable table;
  for (int64_t filter = 0; filter < bank.filters(); ++filter) {
    const std::span<const float> weights = bank.weights(filter);
    table.filters.insert(table.filters.end(),
                         {static_cast<int32_t>(bank.first_bin(filter)), static_cast<int32_t>(weights.size()),
                          static_cast<int32_t>(table.weights.size())});
    table.weights.insert(table.weights.end(), weights.begin(), weights.end());
  }
  return table;
}

void signal_bands(Stream& stream, const SignalBandsProblem& problem, ConstView x, ConstView window, ConstView roots,
                  ConstView filters, ConstView weights, View y, SpectralAlgorithm algorithm) {
  expect_problem(problem);
  expect_alike(operation, x, window, roots, weights, y);
  expect_index(operation, "filters", filters, x.device);
  expect_shape(operation, "x", x, problem.x_shape());
  expect_shape(operation, "window", window, {problem.n_fft});
  expect_shape(operation, "roots", roots, {problem.n_fft, 2});
  expect_shape(operation, "filters", filters, {problem.filters, 3});
  expect_shape(operation, "y", y, problem.y_shape());
  const SignalBandsFunctions& device = functions(x.device);
  expect_algorithm(operation, algorithm, device.algorithms, x.device);
  if (algorithm == SpectralAlgorithm::automatic) algorithm = device.automatic(problem);
  require(device.supports(problem, algorithm), "{}: '{}' does not compute frames of {} samples", operation,
          name_of(algorithm), problem.n_fft);
  if (y.numel() > 0) device.run(stream, problem, x, window, roots, filters, weights, y, algorithm);
}

Cost signal_bands_cost(const SignalBandsProblem& p, int64_t filter_weights) {
  const int64_t frames = p.signals * p.frames;
  return {frames * (p.n_fft + real_fft_cost(p.n_fft).flops + 3 * p.bins() + 2 * filter_weights + 20 * p.bands()),
          4 * (p.signals * p.samples + frames * p.bands())};
}

}  // namespace melgrad
