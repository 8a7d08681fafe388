// Functions of one number on the CPU: streaming loops for each instruction set. exp is Highway's; the compiler
// vectorises the others but log, which is exact at 1 and so stays the library's.
#include "kernels/reference/unary.h"

#include "kernels/cpu/vectorize.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/unary.cpp"
#include <hwy/foreach_target.h>
// Below foreach_target.h, which includes this file again for each target.
#include "kernels/cpu/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

void unary_forward_loop(Unary function, const float* x, float* y, int64_t n) {
  with_unary(function, [=]<Unary f>() {
    if constexpr (f == Unary::exp) {
      map_vectors(
          n, y, [](auto value) { return exp_of(value); }, x);
    } else {
      MELGRAD_VECTORIZE
      for (int64_t i = 0; i < n; ++i) y[i] = unary_value<f>(x[i]);
    }
  });
}

void unary_backward_loop(Unary function, const float* x, const float* dy, float* dx, int64_t n) {
  with_unary(function, [=]<Unary f>() {
    if constexpr (f == Unary::exp) {
      map_vectors(
          n, dx, [](auto value, auto gradient) { return hn::Mul(exp_of(value), gradient); }, x, dy);
    } else {
      MELGRAD_VECTORIZE
      for (int64_t i = 0; i < n; ++i) dx[i] = unary_gradient<f>(x[i], dy[i]);
    }
  });
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(unary_forward_loop);
HWY_EXPORT(unary_backward_loop);

constexpr int64_t grain = 1 << 14;  // elements a chunk

void forward(Stream& stream, Unary function, ConstView x, View y) {
  if (x.dtype == DType::f64) return reference::unary_forward<double>(function, x, y);
  parallel_for(stream.threads(), x.numel(), grain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(unary_forward_loop)
    (function, x.as<float>() + begin, y.as<float>() + begin, end - begin);
  });
}

void backward(Stream& stream, Unary function, ConstView x, ConstView dy, View dx) {
  if (x.dtype == DType::f64) return reference::unary_backward<double>(function, x, dy, dx);
  parallel_for(stream.threads(), x.numel(), grain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(unary_backward_loop)
    (function, x.as<float>() + begin, dy.as<float>() + begin, dx.as<float>() + begin, end - begin);
  });
}

}  // namespace

extern const UnaryFunctions unary_functions;
const UnaryFunctions unary_functions{forward, backward};

}  // namespace melgrad::cpu
#endif
