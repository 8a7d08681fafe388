// Bias on the CPU: streaming loops, bound by memory.
#include <algorithm>

#include "kernels/reference/bias.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/bias.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

void add_bias_rows(const float* x, const float* bias, float* y, int64_t rows, int64_t channels) {
  for (int64_t row = 0; row < rows; ++row, x += channels, y += channels)
    for (int64_t c = 0; c < channels; ++c) y[c] = x[c] + bias[c];
}

void sum_rows(const float* dy, float* sum, int64_t rows, int64_t channels) {
  std::fill_n(sum, channels, 0.0f);
  for (int64_t row = 0; row < rows; ++row, dy += channels)
    for (int64_t c = 0; c < channels; ++c) sum[c] += dy[c];
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(add_bias_rows);
HWY_EXPORT(sum_rows);

constexpr int64_t floats_per_chunk = 1 << 15;
constexpr int64_t rows_per_sum = 64;  // partial sums are short: rounding grows with their length

void forward(Stream& stream, ConstView x, ConstView bias, View y) {
  if (x.dtype == DType::f64) return reference::bias_forward<double>(x, bias, y);
  const int64_t channels = std::max<int64_t>(1, bias.numel());
  const int64_t rows = x.numel() / channels;
  const int64_t grain = std::max<int64_t>(1, floats_per_chunk / channels);
  parallel_for(stream.threads(), rows, grain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(add_bias_rows)
    (x.as<float>() + begin * channels, bias.as<float>(), y.as<float>() + begin * channels, end - begin, channels);
  });
}

void backward(Stream& stream, ConstView dy, View dbias) {
  if (dy.dtype == DType::f64) return reference::bias_backward<double>(dy, dbias);
  const int64_t channels = dbias.numel();
  if (channels == 0) return;
  const int64_t rows = dy.numel() / channels, sums = (rows + rows_per_sum - 1) / rows_per_sum;
  const Buffer scratch = stream.workspace(sums * channels * static_cast<int64_t>(sizeof(float)));
  float* partial = static_cast<float*>(scratch.data());
  const int64_t grain = std::max<int64_t>(1, floats_per_chunk / (rows_per_sum * channels));
  parallel_for(stream.threads(), sums, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i * rows_per_sum;
      HWY_DYNAMIC_DISPATCH(sum_rows)
      (dy.as<float>() + first * channels, partial + i * channels, std::min(rows_per_sum, rows - first), channels);
    }
  });
  HWY_DYNAMIC_DISPATCH(sum_rows)(partial, dbias.as<float>(), sums, channels);
}

}  // namespace

extern const BiasFunctions bias_functions;
const BiasFunctions bias_functions{forward, backward};

}  // namespace melgrad::cpu
#endif
