// Batch normalisation on the CPU.
//
// Forward: each chunk of rows gives the mean and the centred sum of squares of its channels in two passes over data
// that the first leaves in L2; Chan, Golub and LeVeque's formula (1979) joins the chunks, in order. Backward: sums of
// dy and dy·(x - mean). Then one streaming pass. Bound by memory: three passes over x in all, where two are compulsory.
#include <utility>
#include <vector>

#include "kernels/cpu/columns.h"
#include "kernels/cpu/vectorize.h"
#include "kernels/reference/batch_norm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/batch_norm.cpp"
#include <hwy/foreach_target.h>
// Below foreach_target.h, which includes this file again for each target.
#include "kernels/cpu/columns-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// sums[j] = Σ (x - shift[j])^power over column j of the wide rows.
void centred_sums(const float* x, const float* shift, int64_t n, int64_t width, int power, float* sums) {
  if (power == 1) {
    reduce_columns(AddColumns(), n, width, sums,
                   [=](auto d, int64_t i, int64_t j) { return hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, shift + j)); });
  } else {
    reduce_columns(AddColumns(), n, width, sums, [=](auto d, int64_t i, int64_t j) {
      const auto difference = hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, shift + j));
      return hn::Mul(difference, difference);
    });
  }
}

// Σ dy and Σ dy·(x - mean).
void gradient_sums(const float* x, const float* dy, const float* mean, int64_t n, int64_t width, float* sums,
                   float* products) {
  reduce_columns(AddColumns(), n, width, sums, [=](auto d, int64_t i, int64_t) { return hn::LoadU(d, dy + i); });
  reduce_columns(AddColumns(), n, width, products, [=](auto d, int64_t i, int64_t j) {
    return hn::Mul(hn::LoadU(d, dy + i), hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, mean + j)));
  });
}

// y = (x - mean) · scale + offset.
void normalise_loop(const float* x, const float* mean, const float* scale, const float* offset, int64_t n,
                    int64_t width, float* y) {
  for (int64_t start = 0; start < n; start += width) {
    const int64_t count = std::min(width, n - start);
    MELGRAD_VECTORIZE
    for (int64_t j = 0; j < count; ++j) y[start + j] = (x[start + j] - mean[j]) * scale[j] + offset[j];
  }
}

// dx = dy · scale + (x - mean) · slope + offset.
void gradient_loop(const float* x, const float* dy, const float* mean, const float* scale, const float* slope,
                   const float* offset, int64_t n, int64_t width, float* dx) {
  for (int64_t start = 0; start < n; start += width) {
    const int64_t count = std::min(width, n - start);
    MELGRAD_VECTORIZE
    for (int64_t j = 0; j < count; ++j)
      dx[start + j] = dy[start + j] * scale[j] + ((x[start + j] - mean[j]) * slope[j] + offset[j]);
  }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(centred_sums);
HWY_EXPORT(gradient_sums);
HWY_EXPORT(normalise_loop);
HWY_EXPORT(gradient_loop);

using reference::batch_norm_rows;

// One number a channel, repeated over a wide row.
class WideRow {
 public:
  explicit WideRow(const Columns& layout)
      : channels_(layout.channels), values_(static_cast<std::size_t>(layout.width)) {}
  WideRow(const Columns& layout, const float* values) : WideRow(layout) {
    set([values](int64_t j) { return values[j]; });
  }

  template <class Value>
  void set(const Value& value) {
    for (int64_t j = 0; j < channels_; ++j) data()[j] = static_cast<float>(value(j));
    for (std::size_t j = static_cast<std::size_t>(channels_); j < values_.size(); ++j)
      values_[j] = values_[j - static_cast<std::size_t>(channels_)];
  }
  // The sum over the repeats of channel j.
  double folded(int64_t j) const {
    double sum = 0;
    for (auto i = static_cast<std::size_t>(j); i < values_.size(); i += static_cast<std::size_t>(channels_))
      sum += values_[i];
    return sum;
  }
  float* data() { return values_.data(); }
  const float* data() const { return values_.data(); }

 private:
  int64_t channels_;
  std::vector<float> values_;
};

// Two numbers a channel of each chunk.
class Partials {
 public:
  Partials(Stream& stream, const Columns& layout)
      : channels_(layout.channels), buffer_(stream.workspace(layout.chunks() * 2 * channels_ * size_of(DType::f64))) {}
  double* first(int64_t chunk) const { return static_cast<double*>(buffer_.data()) + chunk * 2 * channels_; }
  double* second(int64_t chunk) const { return first(chunk) + channels_; }

 private:
  int64_t channels_;
  Buffer buffer_;
};

// body(chunk, start, elements) for each chunk.
template <class Body>
void for_each_chunk(Stream& stream, const Columns& layout, const Body& body) {
  parallel_for(stream.threads(), layout.elements(), layout.chunk,
               [&](int64_t start, int64_t end) { body(start / layout.chunk, start, end - start); });
}

// The mean of each channel of a chunk, and Σ (x - mean)².
void chunk_statistics(const Columns& layout, const float* x, int64_t n, double* mean, double* squares) {
  const int64_t c = layout.channels;
  WideRow shift(layout, x), sums(layout);  // differences from the first row keep the digits of a mean far from 0
  HWY_DYNAMIC_DISPATCH(centred_sums)(x, shift.data(), n, layout.width, 1, sums.data());
  const auto rows = static_cast<double>(n / c);
  for (int64_t j = 0; j < c; ++j) mean[j] = x[j] + sums.folded(j) / rows;
  shift.set([&](int64_t j) { return mean[j]; });
  HWY_DYNAMIC_DISPATCH(centred_sums)(x, shift.data(), n, layout.width, 2, sums.data());
  for (int64_t j = 0; j < c; ++j) {
    const double rounding = mean[j] - shift.data()[j];  // the squares are about the rounded mean
    squares[j] = sums.folded(j) - rows * rounding * rounding;
  }
}

// Joins the chunks of channel j: its mean and variance.
std::pair<double, double> join_chunks(const Columns& layout, const Partials& partials, int64_t j) {
  double count = 0, mean = 0, squares = 0;
  for (int64_t chunk = 0; chunk < layout.chunks(); ++chunk) {
    const int64_t elements = std::min(layout.chunk, layout.elements() - chunk * layout.chunk);
    const auto rows = static_cast<double>(elements / layout.channels);
    const double difference = partials.first(chunk)[j] - mean;
    squares += partials.second(chunk)[j] + difference * difference * count * rows / (count + rows);
    count += rows;
    mean += difference * rows / count;
  }
  return {mean, squares < 0 ? 0 : squares / count};  // rounding may leave a constant a hair below 0
}

void normalise(Stream& stream, const Columns& layout, ConstView x, const WideRow& mean, const WideRow& scale,
               const WideRow& offset, View y) {
  for_each_chunk(stream, layout, [&](int64_t, int64_t start, int64_t n) {
    HWY_DYNAMIC_DISPATCH(normalise_loop)
    (x.as<float>() + start, mean.data(), scale.data(), offset.data(), n, layout.width, y.as<float>() + start);
  });
}

double inverse_deviation(const float* variance, int64_t j, double epsilon) {
  return 1 / std::sqrt(static_cast<double>(variance[j]) + epsilon);
}

void train_forward_f32(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView beta, View y, View mean,
                       View variance) {
  const Columns layout(batch_norm_rows(x), x.shape[-1]);
  const Partials partials(stream, layout);
  for_each_chunk(stream, layout, [&](int64_t chunk, int64_t start, int64_t n) {
    chunk_statistics(layout, x.as<float>() + start, n, partials.first(chunk), partials.second(chunk));
  });
  WideRow scale(layout), offset(layout);
  float* m = mean.as<float>();
  float* v = variance.as<float>();
  for (int64_t j = 0; j < layout.channels; ++j) {
    const auto [exact_mean, exact_variance] = join_chunks(layout, partials, j);
    m[j] = static_cast<float>(exact_mean);
    v[j] = static_cast<float>(exact_variance);
    const double of_channel = gamma.as<float>()[j] / std::sqrt(exact_variance + epsilon);
    scale.data()[j] = static_cast<float>(of_channel);
    // What rounding took from the mean goes into the offset.
    offset.data()[j] = static_cast<float>(beta.as<float>()[j] - (exact_mean - m[j]) * of_channel);
  }
  scale.set([&](int64_t j) { return scale.data()[j]; });
  offset.set([&](int64_t j) { return offset.data()[j]; });
  normalise(stream, layout, x, WideRow(layout, m), scale, offset, y);
}

void infer_forward_f32(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView beta, ConstView mean,
                       ConstView variance, View y) {
  const Columns layout(batch_norm_rows(x), x.shape[-1]);
  WideRow scale(layout);
  scale.set([&](int64_t j) { return gamma.as<float>()[j] * inverse_deviation(variance.as<float>(), j, epsilon); });
  normalise(stream, layout, x, WideRow(layout, mean.as<float>()), scale, WideRow(layout, beta.as<float>()), y);
}

// dgamma and dbeta.
void parameter_gradients(Stream& stream, const Columns& layout, double epsilon, ConstView x, const WideRow& mean,
                         ConstView variance, ConstView dy, View dgamma, View dbeta) {
  const Partials partials(stream, layout);
  for_each_chunk(stream, layout, [&](int64_t chunk, int64_t start, int64_t n) {
    WideRow sums(layout), products(layout);
    HWY_DYNAMIC_DISPATCH(gradient_sums)
    (x.as<float>() + start, dy.as<float>() + start, mean.data(), n, layout.width, sums.data(), products.data());
    for (int64_t j = 0; j < layout.channels; ++j) {
      partials.first(chunk)[j] = sums.folded(j);
      partials.second(chunk)[j] = products.folded(j);
    }
  });
  for (int64_t j = 0; j < layout.channels; ++j) {
    double sum = 0, product = 0;
    for (int64_t chunk = 0; chunk < layout.chunks(); ++chunk) {
      sum += partials.first(chunk)[j];
      product += partials.second(chunk)[j];
    }
    dbeta.as<float>()[j] = static_cast<float>(sum);
    dgamma.as<float>()[j] = static_cast<float>(product * inverse_deviation(variance.as<float>(), j, epsilon));
  }
}

void backward_f32(bool training, Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView mean,
                  ConstView variance, ConstView dy, View dx, View dgamma, View dbeta) {
  const Columns layout(batch_norm_rows(x), x.shape[-1]);
  const WideRow centre(layout, mean.as<float>());
  parameter_gradients(stream, layout, epsilon, x, centre, variance, dy, dgamma, dbeta);
  WideRow scale(layout);
  auto inverse = [&](int64_t j) { return inverse_deviation(variance.as<float>(), j, epsilon); };
  auto outer = [&](int64_t j) { return gamma.as<float>()[j] * inverse(j); };
  scale.set(outer);
  if (!training) return normalise(stream, layout, dy, WideRow(layout), scale, WideRow(layout), dx);
  WideRow slope(layout), offset(layout);
  const double share = 1 / static_cast<double>(layout.rows);  // of a row in the statistics
  slope.set([&](int64_t j) { return -outer(j) * share * inverse(j) * dgamma.as<float>()[j]; });
  offset.set([&](int64_t j) { return -outer(j) * share * dbeta.as<float>()[j]; });
  for_each_chunk(stream, layout, [&](int64_t, int64_t start, int64_t n) {
    HWY_DYNAMIC_DISPATCH(gradient_loop)
    (x.as<float>() + start, dy.as<float>() + start, centre.data(), scale.data(), slope.data(), offset.data(), n,
     layout.width, dx.as<float>() + start);
  });
}

void train_forward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView beta, View y, View mean,
                   View variance) {
  if (x.dtype == DType::f64)
    return reference::batch_norm_train_forward<double>(epsilon, x, gamma, beta, y, mean, variance);
  train_forward_f32(stream, epsilon, x, gamma, beta, y, mean, variance);
}

void infer_forward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView beta, ConstView mean,
                   ConstView variance, View y) {
  if (x.dtype == DType::f64)
    return reference::batch_norm_infer_forward<double>(epsilon, x, gamma, beta, mean, variance, y);
  infer_forward_f32(stream, epsilon, x, gamma, beta, mean, variance, y);
}

template <bool training>
void backward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView mean, ConstView variance,
              ConstView dy, View dx, View dgamma, View dbeta) {
  if (x.dtype == DType::f64)
    return reference::batch_norm_backward<double>(training, epsilon, x, gamma, mean, variance, dy, dx, dgamma, dbeta);
  backward_f32(training, stream, epsilon, x, gamma, mean, variance, dy, dx, dgamma, dbeta);
}

// A few numbers a channel: the plain loop.
void update_running(Stream&, double keep, RunningVariance kind, int64_t rows, ConstView mean, ConstView variance,
                    View running_mean, View running_variance) {
  const bool single = mean.dtype == DType::f32;
  const auto update =
      single ? reference::batch_norm_update_running<float> : reference::batch_norm_update_running<double>;
  update(keep, kind, rows, mean, variance, running_mean, running_variance);
}

}  // namespace

extern const BatchNormFunctions batch_norm_functions;
const BatchNormFunctions batch_norm_functions{train_forward, backward<true>, infer_forward, backward<false>,
                                              update_running};

}  // namespace melgrad::cpu
#endif
