// Batch norm, ReLU and max pool behind a convolution: three operations, the project's one in their place, their check.
// docs/kernels/fused_block.md tells what they show.
#include "docs/kernels/lesson.h"
#include "kernels/activation.h"
#include "kernels/batch_norm.h"
#include "kernels/max_pool2d.h"
#include "kernels/norm_pool.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int64_t samples = 2, length = 243, channels = 32, window = 3;
constexpr double epsilon = 1e-3;

// z (n, l / 3, c) of y (n, l, c).
Numbers block_reference(const Numbers& y, const Numbers& gamma, const Numbers& beta) {
  constexpr int64_t rows = samples * length;
  Numbers z(static_cast<std::size_t>(rows / window * channels));
  for (int64_t c = 0; c < channels; ++c) {
    const auto at = [&](int64_t row) { return double(y[static_cast<std::size_t>(row * channels + c)]); };
    double mean = 0, variance = 0;
    for (int64_t row = 0; row < rows; ++row) mean += at(row) / rows;
    for (int64_t row = 0; row < rows; ++row) variance += (at(row) - mean) * (at(row) - mean) / rows;
    const double scale = gamma[static_cast<std::size_t>(c)] / std::sqrt(variance + epsilon);
    for (int64_t i = 0; i < rows / window; ++i) {
      double largest = 0;  // ReLU
      for (int64_t tap = 0; tap < window; ++tap)
        largest = std::max(largest, (at(i * window + tap) - mean) * scale + beta[static_cast<std::size_t>(c)]);
      z[static_cast<std::size_t>(i * channels + c)] = static_cast<float>(largest);
    }
  }
  return z;
}

}  // namespace

void fused_block_lesson(Lesson& lesson) {
  const Shape long_shape{samples, length, 1, channels}, short_shape{samples, length / window, 1, channels};
  const Numbers numbers = some_numbers(samples * length * channels, 8), scales = some_numbers(channels, 9),
                offsets = some_numbers(channels, 10);
  const Numbers expected = block_reference(numbers, scales, offsets);
  const Array y(long_shape, numbers), gamma({channels}, scales), beta({channels}, offsets);
  const Array mean({channels}), variance({channels}), normal(long_shape), active(long_shape), z(short_shape);
  const auto bytes_for = [&](const Shape& shape, DType dtype) {
    return arena(lesson_device).allocate(shape.numel() * size_of(dtype));
  };
  const Buffer winners = bytes_for(short_shape, DType::i32);
  const Pool2dProblem pool{samples, length, 1, channels, {window, window}, {}};
  constexpr float bound = 1e-5f;

  lesson.heading("batch norm, ReLU, max pool");
  lesson.measure(
      [&](Stream& stream) {
        batch_norm_train_forward(stream, epsilon, y.view, gamma.view, beta.view, normal.view, mean.view, variance.view);
        activation_forward(stream, Activation::relu, normal.view, active.view);
        max_pool2d_forward(stream, pool, active.view, z.view, {winners.data(), short_shape, DType::i32, lesson_device});
      },
      norm_pool_forward_cost(pool, 4));
  lesson.check("three operations", z, expected, bound);

  const Array pooled(short_shape);
  const Buffer places = bytes_for(short_shape, DType::u8);
  lesson.heading("norm_pool");
  lesson.measure(
      [&](Stream& stream) {
        norm_pool_forward(stream, {pool, epsilon}, y.view, gamma.view, beta.view, z.view, pooled.view,
                          {places.data(), short_shape, DType::u8, lesson_device}, mean.view, variance.view);
      },
      norm_pool_forward_cost(pool, 4));
  lesson.check("norm_pool", z, expected, bound);
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
