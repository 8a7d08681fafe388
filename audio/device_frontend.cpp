#include "audio/device_frontend.h"

#include "kernels/band_scaling.h"
#include "kernels/matmul.h"
#include "kernels/reduce.h"

namespace melgrad {
namespace {

// Row t of the matrix is the transform of a signal that is 1 at t and 0 elsewhere.
Tensor dct_matrix(const Dct& dct, Device device) {
  const auto n = static_cast<std::size_t>(dct.size()), coefficients = static_cast<std::size_t>(dct.coefficients());
  std::vector<float> unit(n), matrix(n * coefficients);
  for (std::size_t t = 0; t < n; ++t) {
    unit[t] = 1;
    dct.apply(unit, std::span(matrix).subspan(t * coefficients, coefficients));
    unit[t] = 0;
  }
  return Tensor::from(matrix, {dct.size(), dct.coefficients()}, device);
}

// The memory under another shape of as many elements.
View reshaped(View view, const Shape& shape) {
  view.shape = shape;
  return view;
}

}  // namespace

DeviceFrontend::DeviceFrontend(const Frontend& frontend, Device device, SpectralAlgorithm algorithm)
    : frontend_(frontend), algorithm_(algorithm) {
  const FrontendOptions& options = frontend_.options();
  require(options.kind == FeatureKind::spectrum, "frontend on {}: {} is made on the host", name_of(device),
          name_of(options.kind));
  const SpectralBandsOptions& plan = frontend_.plan()->options();
  const auto n_fft = static_cast<int64_t>(plan.window.size());
  window_ = Tensor::from(plan.window, {n_fft}, device);
  roots_ = Tensor::from(fourier_roots(n_fft), {n_fft, 2}, device);
  const FilterTable table = plan.filters ? filter_table(*plan.filters) : FilterTable{};
  filters_ = Tensor::from(table.filters, {static_cast<int64_t>(table.filters.size()) / 3, 3}, device);
  weights_ = Tensor::from(table.weights, {static_cast<int64_t>(table.weights.size())}, device);
  if (frontend_.dct() != nullptr) dct_ = dct_matrix(*frontend_.dct(), device);
}

SignalBandsProblem DeviceFrontend::problem(const Tensor& samples) const {
  require(samples.shape().rank() == 2, "frontend on {}: samples are {}, expected (signals, n)",
          name_of(samples.device()), samples.shape().to_string());
  const SpectralBandsOptions& plan = frontend_.plan()->options();
  const int64_t length = samples.shape()[1], frames = frontend_.band_frames_for(length);
  if (frames == 0) fail("{}", frontend_.too_short(length));
  return {.signals = samples.shape()[0],
          .samples = length,
          .n_fft = static_cast<int64_t>(plan.window.size()),
          .hop = plan.hop,
          .padding = plan.padding,
          .frames = frames,
          .extension = plan.extension,
          .power = plan.power,
          .filters = filters_.shape()[0],
          .exponent = plan.exponent,
          .logarithm = frontend_.logarithm()};
}

Tensor DeviceFrontend::compute(const Tensor& samples) const {
  const FrontendOptions& options = frontend_.options();
  const SignalBandsProblem p = problem(samples);
  Stream& stream = samples.stream();
  Tensor bands = Tensor::empty(p.y_shape(), DType::f32, samples.device());
  signal_bands(stream, p, samples.view(), window_.view(), roots_.view(), filters_.view(), weights_.view(),
               bands.mutable_view(), algorithm_);
  if (frontend_.needs_largest()) {
    Tensor largest = Tensor::empty({p.signals}, DType::f32, samples.device());
    reduce(stream, Reduction::max, bands.view(), reshaped(largest.mutable_view(), {p.signals, 1, 1}));
    limit_bands(stream, options.ref.is_word(), options.top_db.value_or(HUGE_VAL), largest.view(), bands.mutable_view());
  }
  const int64_t rows = p.signals * p.frames, bins = frontend_.bins();
  Tensor features = bands;
  if (dct_.defined()) {
    features = Tensor::empty({p.signals, p.frames, bins}, DType::f32, samples.device());
    matmul(stream, {.m = rows, .n = bins, .k = p.bands()}, reshaped(bands.mutable_view(), {rows, p.bands()}),
           dct_.view(), reshaped(features.mutable_view(), {rows, bins}));
  }
  if (options.normalise == Normalise::frame_minmax) {
    const View all = reshaped(features.mutable_view(), {rows, bins});
    scale_rows(stream, all, all);
  }
  return features;
}

}  // namespace melgrad
