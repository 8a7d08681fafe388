// Activations on the CPU: streaming loops that the compiler vectorises for each instruction set; bound by memory.
#include "kernels/reference/activation.h"
#include "kernels/activation_formulas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/activation.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

void activation_forward_loop(Activation function, const float* x, float* y, int64_t n) {
  with_activation(function, [=]<Activation f>() {
    for (int64_t i = 0; i < n; ++i) y[i] = activate<f>(x[i]);
  });
}

void activation_backward_loop(Activation function, const float* y, const float* dy, float* dx, int64_t n) {
  with_activation(function, [=]<Activation f>() {
    for (int64_t i = 0; i < n; ++i) dx[i] = activation_gradient<f>(y[i], dy[i]);
  });
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(activation_forward_loop);
HWY_EXPORT(activation_backward_loop);

constexpr int64_t grain = 1 << 15;  // elements a chunk: half an L2

void forward(Stream& stream, Activation function, ConstView x, View y) {
  if (x.dtype == DType::f64) return reference::activation_forward<double>(function, x, y);
  parallel_for(stream.threads(), x.numel(), grain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(activation_forward_loop)
    (function, x.as<float>() + begin, y.as<float>() + begin, end - begin);
  });
}

void backward(Stream& stream, Activation function, ConstView y, ConstView dy, View dx) {
  if (y.dtype == DType::f64) return reference::activation_backward<double>(function, y, dy, dx);
  parallel_for(stream.threads(), y.numel(), grain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(activation_backward_loop)
    (function, y.as<float>() + begin, dy.as<float>() + begin, dx.as<float>() + begin, end - begin);
  });
}

}  // namespace

extern const ActivationFunctions activation_functions;
const ActivationFunctions activation_functions{forward, backward};

}  // namespace melgrad::cpu
#endif
