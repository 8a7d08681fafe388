// Average pooling on the CPU: whole pixels (c neighbouring channels) are added, for each instruction set. Forward tasks
// are rows of outputs; backward tasks are samples, whose windows may overlap.
#include <algorithm>

#include "kernels/cpu/vectorize.h"
#include "kernels/reference/avg_pool2d.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/avg_pool2d.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// Output row i of a sample.
void average_row(const Pool2dProblem& p, AverageOver over, const float* x, int64_t i, float* y) {
  for (int64_t j = 0; j < p.w_out(); ++j, y += p.c) {
    std::fill_n(y, p.c, 0.0f);
    reference::for_each_tap(p, 0, i, j, 0, [&](int64_t, int64_t input) {
      MELGRAD_VECTORIZE
      for (int64_t channel = 0; channel < p.c; ++channel) y[channel] += x[input + channel];
    });
    const auto count = static_cast<float>(reference::average_count(p, over, i, j));
    MELGRAD_VECTORIZE
    for (int64_t channel = 0; channel < p.c; ++channel) y[channel] /= count;
  }
}

// One sample.
void share_out(const Pool2dProblem& p, AverageOver over, const float* dy, float* dx) {
  std::fill_n(dx, p.h * p.w * p.c, 0.0f);
  for (int64_t i = 0; i < p.h_out(); ++i)
    for (int64_t j = 0; j < p.w_out(); ++j, dy += p.c) {
      const float share = 1 / static_cast<float>(reference::average_count(p, over, i, j));
      reference::for_each_tap(p, 0, i, j, 0, [&](int64_t, int64_t input) {
        MELGRAD_VECTORIZE
        for (int64_t channel = 0; channel < p.c; ++channel) dx[input + channel] += share * dy[channel];
      });
    }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(average_row);
HWY_EXPORT(share_out);

void forward(Stream& stream, const Pool2dProblem& p, AverageOver over, ConstView x, View y) {
  if (x.dtype == DType::f64) return reference::avg_pool2d_forward<double>(p, over, x, y);
  const int64_t row = p.w_out() * p.c;
  parallel_for(stream.threads(), p.n * p.h_out(), std::max<int64_t>(1, 16'384 / std::max<int64_t>(1, row)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t task = begin; task < end; ++task) HWY_DYNAMIC_DISPATCH(average_row)
                 (p, over, x.as<float>() + task / p.h_out() * p.h * p.w * p.c, task % p.h_out(),
                  y.as<float>() + task * row);
               });
}

void backward(Stream& stream, const Pool2dProblem& p, AverageOver over, ConstView dy, View dx) {
  if (dy.dtype == DType::f64) return reference::avg_pool2d_backward<double>(p, over, dy, dx);
  stream.threads().run(p.n, [&](int64_t sample) {
    HWY_DYNAMIC_DISPATCH(share_out)
    (p, over, dy.as<float>() + sample * p.h_out() * p.w_out() * p.c, dx.as<float>() + sample * p.h * p.w * p.c);
  });
}

}  // namespace

extern const AvgPool2dFunctions avg_pool2d_functions;
const AvgPool2dFunctions avg_pool2d_functions{forward, backward};

}  // namespace melgrad::cpu
#endif
