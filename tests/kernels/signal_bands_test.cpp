// Bands of batches of signals on every device against their definition, and what follows them.
#include "kernels/signal_bands.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/band_scaling.h"
#include "kernels/memory.h"
#include "kernels/reference/band_scaling.h"
#include "kernels/reference/signal_bands.h"
#include "tests/kernels/operation_check.h"

namespace melgrad {
namespace {

using test::FillFunction;
using test::Inputs;
using test::OperationCase;
using test::Outputs;

// An input of given numbers, in their order.
template <class T>
FillFunction given(const std::vector<T>& values) {
  return [values, next = std::size_t{0}](Generator&, bool) mutable {
    return static_cast<double>(values[next++ % values.size()]);
  };
}

// `filters` triangles of unlike widths, one of them empty.
FilterBank some_filters(int64_t filters, int64_t bins) {
  std::vector<float> weights(static_cast<std::size_t>(filters * bins));
  for (int64_t f = 0; f < filters; ++f) {
    if (f == 1) continue;
    const int64_t centre = f * bins / filters, width = 1 + f % 5 * bins / 11;
    for (int64_t k = 0; k < bins; ++k) {
      const double height = 1 - std::abs(static_cast<double>(k - centre)) / static_cast<double>(width);
      weights[static_cast<std::size_t>(f * bins + k)] = static_cast<float>(std::max(0.0, height));
    }
  }
  return FilterBank(weights, filters, bins);
}

// How far a band may be off where each spectral value is off by e, which is what f32 makes of a transform: its error is
// a part of the frame's norm, whatever the value.
void bands_magnitude(const SignalBandsProblem& p, int64_t length, Inputs in, Outputs out) {
  const double unit = static_cast<double>(length) * std::numeric_limits<float>::epsilon();
  double* result = out[0].as<double>();
  for (int64_t signal = 0; signal < p.signals; ++signal)
    for (int64_t frame = 0; frame < p.frames; ++frame) {
      const std::vector<double> samples = reference::windowed_frame<double>(p, in[0], in[1], signal, frame);
      double norm = 0;
      for (double sample : samples) norm += sample * sample;
      const double e = unit * std::sqrt(norm) / 4;
      const std::vector<double> exact = reference::magnitudes(samples);
      const auto shifted = [&](int64_t band, double by) {
        const auto power = [&](int64_t bin) {
          return std::pow(std::max(0.0, exact[static_cast<std::size_t>(bin)] + by), p.power);
        };
        if (p.filters == 0) return power(band);
        const int32_t* filter = in[3].as<int32_t>() + 3 * band;
        double sum = 0;
        for (int32_t i = 0; i < filter[1]; ++i) sum += in[4].as<double>()[filter[2] + i] * power(filter[0] + i);
        return sum;
      };
      for (int64_t band = 0; band < p.bands(); ++band) {
        const double value = reference::scaled_band(p, shifted(band, 0));
        const double off = std::max(std::abs(reference::scaled_band(p, shifted(band, e)) - value),
                                    std::abs(reference::scaled_band(p, shifted(band, -e)) - value));
        *result++ = off / unit + std::abs(value) + (p.logarithm ? std::abs(p.logarithm->factor) : 0);
      }
    }
}

void check_bands(const SignalBandsProblem& p) {
  constexpr int64_t length = 16;
  const FilterBank bank = some_filters(std::max<int64_t>(1, p.filters), p.bins());
  FilterTable table = filter_table(bank);
  if (p.filters == 0) table.filters = {0};
  const auto weights = static_cast<int64_t>(table.weights.size());
  for (SpectralAlgorithm algorithm : {SpectralAlgorithm::host, SpectralAlgorithm::fused, SpectralAlgorithm::cufft}) {
    if (algorithm == SpectralAlgorithm::fused && !signal_bands_supports(Device::simt, p, algorithm)) continue;
    OperationCase bands;
    bands.name =
        fmt::format("signal_bands {} signals of {}, n_fft {} hop {} padding {} {}, {} filters", p.signals, p.samples,
                    p.n_fft, p.hop, p.padding, p.extension == Extension::zero ? "zero" : "reflect", p.filters);
    bands.algorithm = name_of(algorithm);
    bands.devices = {algorithm == SpectralAlgorithm::host ? Device::cpu : Device::simt};
    bands.inputs = {{p.x_shape()},
                    {Shape{p.n_fft}, test::positive_values()},
                    {Shape{p.n_fft, 2}, given(fourier_roots(p.n_fft))},
                    {Shape{p.filters, 3}, given(table.filters), true},
                    {Shape{weights}, given(table.weights)}};
    bands.outputs = {{p.y_shape()}};
    bands.run = [=](Stream& stream, Inputs in, Outputs out) {
      signal_bands(stream, p, in[0], in[1], in[2], in[3], in[4], out[0], algorithm);
    };
    bands.reference = [=](Inputs in, Outputs out) {
      reference::signal_bands<double>(p, in[0], in[1], in[3], in[4], out[0]);
    };
    bands.magnitude = [=](Inputs in, Outputs out) { bands_magnitude(p, length, in, out); };
    bands.reduction_length = length;
    test::check(bands);
  }
}

TEST_CASE("signal_bands agrees with the reference") {
  const BandLogarithm decibels{.floor = 1e-10F, .factor = 4.3429448F, .shift = 3};
  const BandLogarithm log1p{.gain = 10, .offset = 1, .floor = 1};
  const SignalBandsProblem problems[] = {
      {.signals = 1, .samples = 1, .n_fft = 16, .hop = 5, .padding = 8, .frames = 1, .extension = Extension::reflect},
      {.signals = 0, .samples = 40, .n_fft = 16, .frames = 2},
      {.signals = 3, .samples = 101, .n_fft = 64, .hop = 17, .padding = 32, .frames = 7, .filters = 9},
      {.signals = 2,
       .samples = 67,
       .n_fft = 128,
       .hop = 31,
       .padding = 64,
       .frames = 3,
       .extension = Extension::reflect,
       .power = 1,
       .filters = 11,
       .exponent = 2,
       .logarithm = decibels},
      {.samples = 1009, .n_fft = 256, .hop = 97, .frames = 7, .power = 1, .logarithm = log1p},
      {.samples = 523,
       .n_fft = 400,
       .hop = 160,
       .padding = 200,
       .frames = 4,
       .extension = Extension::reflect,
       .filters = 41,
       .logarithm = log1p},
      {.samples = 1543,
       .n_fft = 1024,
       .hop = 500,
       .padding = 11,
       .frames = 2,
       .power = 1.5,
       .filters = 31,
       .exponent = 0.5,
       .logarithm = decibels},
      {.samples = 2053, .n_fft = 2048, .hop = 512, .padding = 1024, .frames = 2, .filters = 128},
      {.samples = 1000, .n_fft = 30, .hop = 300, .frames = 3},
      {.samples = 1001, .n_fft = 90, .hop = 300, .frames = 3},
      {.signals = 2, .samples = 211, .n_fft = 49, .hop = 20, .frames = 5, .filters = 7},  // sizes for the library alone
      {.samples = 89, .n_fft = 22, .hop = 20, .frames = 3},
      {.samples = 60, .n_fft = 16, .hop = 20, .frames = 3, .filters = 1},
  };
  for (const SignalBandsProblem& p : problems) check_bands(p);
}

// The O(n²) reference is too slow here: the host's transform, itself checked against an f64 one, stands for it.
TEST_CASE("signal_bands: the largest transforms in shared memory") {
  for (int64_t n : {4096, 8192, 12000}) {
    const SignalBandsProblem p{.samples = n + 101, .n_fft = n, .hop = 101, .frames = 2};
    std::vector<float> x(static_cast<std::size_t>(p.samples)), window(static_cast<std::size_t>(n));
    Generator random(4, Draw::test);
    for (float& value : x) value = static_cast<float>(random.normal());
    for (float& value : window) value = static_cast<float>(random.uniform(0, 1));
    const std::vector<float> roots = fourier_roots(n);
    std::vector<float> results[2];
    for (Device device : {Device::cpu, Device::simt}) {
      Stream stream(device);
      std::vector<Buffer> buffers;
      const auto put = [&](const std::vector<float>& values, const Shape& shape) {
        buffers.push_back(stream.workspace(4 * shape.numel()));
        const View view{buffers.back().data(), shape, DType::f32, device};
        copy(ConstView{values.data(), shape}, view);
        return view;
      };
      std::vector<float>& result = results[device == Device::simt];
      result.resize(static_cast<std::size_t>(p.y_shape().numel()));
      const View y = put(result, p.y_shape());
      signal_bands(stream, p, put(x, p.x_shape()), put(window, {n}), put(roots, {n, 2}),
                   View{nullptr, {0, 3}, DType::i32, device}, View{nullptr, {0}, DType::f32, device}, y);
      copy(y, View{result.data(), p.y_shape()});
    }
    const float largest = *std::max_element(results[0].begin(), results[0].end());
    for (std::size_t i = 0; i < results[0].size(); ++i)
      CHECK(std::abs(results[1][i] - results[0][i]) <= 1e-6F * largest);
  }
}

TEST_CASE("limit_bands agrees with the reference") {
  for (const Shape& shape : {Shape{0, 3}, Shape{1}, Shape{3, 7, 5}, Shape{2, 331}, Shape{1, 4099}})
    for (bool relative : {false, true})
      for (double range : {0.5, std::numeric_limits<double>::infinity()}) {
        OperationCase limit;
        limit.name = fmt::format("limit_bands {} relative {} range {}", shape.to_string(), relative, range);
        limit.inputs = {{shape}, {Shape{shape[0]}, test::positive_values()}};
        limit.outputs = {{shape}};
        limit.run = [=](Stream& stream, Inputs in, Outputs out) {
          copy(in[0], out[0]);
          limit_bands(stream, relative, range, in[1], out[0]);
        };
        limit.reference = [=](Inputs in, Outputs out) {
          copy(in[0], out[0]);
          reference::limit_bands<double>(relative, range, in[1], out[0]);
        };
        limit.magnitude = [](Inputs in, Outputs out) {
          for (int64_t i = 0; i < out[0].numel(); ++i) out[0].as<double>()[i] = std::abs(in[0].as<double>()[i]) + 3;
        };
        test::check(limit);
      }
}

TEST_CASE("scale_rows agrees with the reference") {
  for (const Shape& shape : {Shape{0, 3}, Shape{1, 1}, Shape{7, 5}, Shape{9, 33}, Shape{3, 331}})
    for (const std::string rows : {"wide", "narrow", "constant"}) {
      OperationCase scale;
      scale.name = fmt::format("scale_rows {} {}", shape.to_string(), rows);
      scale.inputs = {{shape}};
      if (rows == "narrow")
        scale.inputs[0].fill = [](Generator& random, bool) { return random.uniform(-0.125, 0.125); };
      if (rows == "constant") scale.inputs[0].fill = [](Generator&, bool) { return 2.5; };
      scale.outputs = {{shape}};
      scale.run = [](Stream& stream, Inputs in, Outputs out) { scale_rows(stream, in[0], out[0]); };
      scale.reference = [](Inputs in, Outputs out) { reference::scale_rows<double>(in[0], out[0]); };
      scale.magnitude = [](Inputs, Outputs out) { std::fill_n(out[0].as<double>(), out[0].numel(), 1.0); };
      scale.reduction_length = 4;
      test::check(scale);
    }
}

TEST_CASE("signal_bands: errors, sizes and cost") {
  for (int64_t n : {16, 12288}) CHECK(signal_bands_supports(Device::simt, {.n_fft = n}, SpectralAlgorithm::fused));
  CHECK(signal_bands_supports(Device::simt, {.n_fft = 2}, SpectralAlgorithm::cufft));
  CHECK_FALSE(signal_bands_supports(Device::simt, {.n_fft = 1}, SpectralAlgorithm::cufft));
  for (int64_t n : {2, 15, 14, 12290, 16384, 882})
    CHECK_FALSE(signal_bands_supports(Device::simt, {.n_fft = n}, SpectralAlgorithm::fused));
  float values[64] = {};
  Stream stream(Device::cpu);
  const View x{values, {1, 30}}, window{values, {16}}, roots{values, {16, 2}}, y{values, {1, 1, 9}};
  const View filters{nullptr, {0, 3}, DType::i32}, weights{nullptr, {0}};
  const SignalBandsProblem p{.samples = 30, .n_fft = 16};
  CHECK_THROWS_WITH_AS(signal_bands(stream, p, x, roots, roots, filters, weights, y),
                       "signal_bands: window is (16, 2), expected (16)", Error);
  CHECK_THROWS_WITH_AS(signal_bands(stream, p, x, window, roots, filters, weights, y, SpectralAlgorithm::fused),
                       "signal_bands: device cpu has no algorithm 'fused'", Error);
  SignalBandsProblem silent = p;
  silent.power = 0;
  CHECK_THROWS_WITH_AS(signal_bands(stream, silent, x, window, roots, filters, weights, y),
                       "signal_bands: power 0, exponent 1; expected finite numbers, the first positive", Error);
  CHECK_THROWS_WITH_AS(limit_bands(stream, true, -1, View{values, {1}}, y),
                       "limit_bands: range is -1, expected at least 0", Error);
  CHECK_THROWS_WITH_AS(scale_rows(stream, y, y), "scale_rows: y is (1, 1, 9), expected (rows, columns)", Error);
  CHECK(signal_bands_cost(p, 0) == Cost{16 + 160 + 27 + 180, 4 * (30 + 9)});
  CHECK(limit_bands_cost(10, 4) == Cost{20, 80});
  CHECK(scale_rows_cost(10, 4) == Cost{40, 80});
}

}  // namespace
}  // namespace melgrad
