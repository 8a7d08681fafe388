// Convolution along time as a matrix product: the reference, with patches copied out and without, their check.
// docs/kernels/conv1d.md tells what they show.
#include "docs/kernels/lesson.h"
#include "kernels/conv2d.h"
#include "kernels/matmul.h"

namespace melgrad::MELGRAD_DEVICE_NAMESPACE {
namespace {

constexpr int64_t length = 64, channels = 16, taps = 3, outputs = 32;
constexpr int64_t before = 1;  // zeros before the first step of x, and one behind the last

// y (l, o) of x (l, c) and w (k, c, o).
Numbers conv1d_reference(const Numbers& x, const Numbers& w) {
  Numbers y(static_cast<std::size_t>(length * outputs));
  for (int64_t t = 0; t < length; ++t)
    for (int64_t o = 0; o < outputs; ++o) {
      double sum = 0;
      for (int64_t tap = 0; tap < taps; ++tap) {
        const int64_t from = t + tap - before;
        if (from < 0 || from >= length) continue;
        for (int64_t c = 0; c < channels; ++c)
          sum += double(x[static_cast<std::size_t>(from * channels + c)]) *
                 w[static_cast<std::size_t>((tap * channels + c) * outputs + o)];
      }
      y[static_cast<std::size_t>(t * outputs + o)] = static_cast<float>(sum);
    }
  return y;
}

// patches (l, k · c): row t holds the steps of x that y[t] is made of.
__global__ void __launch_bounds__(256) im2col_kernel(Global<const float> x, Global<float> patches, int64_t n) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const int64_t patch = taps * channels, t = i / patch, element = i % patch;
  const int64_t place = (t - before) * channels + element;  // a patch is a run of x
  const bool inside = place >= 0 && place < length * channels;
  patches[i] = inside ? float(x[place]) : 0.0f;
}

}  // namespace

void conv1d_lesson(Lesson& lesson) {
  const Numbers signal = some_numbers(length * channels, 6), weights = some_numbers(taps * channels * outputs, 7);
  const Numbers expected = conv1d_reference(signal, weights);
  const Array x({1, length, 1, channels}, signal), w({taps, 1, channels, outputs}, weights);
  const Array patches({length, taps * channels}), y({1, length, 1, outputs});
  const Conv2dProblem problem{
      .h = length, .c = channels, .o = outputs, .rows = {taps, 1, 1, before, before}, .columns = {}};
  const Cost cost = conv2d_cost(problem, 4);
  const auto as = [](const Array& array, const Shape& shape) {
    return View{array.view.data, shape, DType::f32, lesson_device};
  };

  lesson.heading("patches copied out, then multiplied");
  lesson.measure(
      [&](Stream& stream) {
        const int64_t n = length * taps * channels;
        launch<im2col_kernel>(blocks_for(n, 256), 256, 0, stream, global<const float>(x.view),
                              global<float>(patches.view), n);
        matmul(stream, {.m = length, .n = outputs, .k = taps * channels}, patches.view,
               as(w, {taps * channels, outputs}), as(y, {length, outputs}));
      },
      cost);
  lesson.check("im2col", y, expected);

  lesson.heading("patches fetched from where they lie");
  lesson.measure(
      [&](Stream& stream) { conv2d_forward(stream, problem, x.view, w.view, y.view, ConvAlgorithm::strided_gemm); },
      cost);
  lesson.check("strided_gemm", y, expected);
}

}  // namespace melgrad::MELGRAD_DEVICE_NAMESPACE
