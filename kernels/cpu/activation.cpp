// Activations on the CPU: streaming loops for each instruction set, bound by memory. The compiler vectorises those of
// plain arithmetic; the exponentials are Highway's.
#include "kernels/reference/activation.h"

#include "kernels/activation_formulas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/activation.cpp"
#include <hwy/foreach_target.h>
// Below foreach_target.h, which includes this file again for each target.
#include "kernels/cpu/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// The functions with an exponential, which the compiler would call element by element.
template <Activation function>
MapVector transcendental(MapVector x, MapVector alpha) {
  if constexpr (function == Activation::sigmoid) return logistic_of(x);
  if constexpr (function == Activation::tanh) return tanh_of(x);
  const auto below = hn::Mul(alpha, hn::Expm1(MapTag(), hn::Min(x, hn::Zero(MapTag()))));
  return hn::IfThenElse(hn::Lt(x, hn::Zero(MapTag())), below, x);  // elu; a NaN is not below 0
}

void activation_forward_loop(Activation function, float alpha, const float* x, float* y, int64_t n) {
  with_activation(function, [=]<Activation f>() {
    if constexpr (f == Activation::elu || f == Activation::sigmoid || f == Activation::tanh)
      map_vectors(
          n, y, [=](auto value) { return transcendental<f>(value, hn::Set(MapTag(), alpha)); }, x);
    else
      for (int64_t i = 0; i < n; ++i) y[i] = activate<f>(x[i], alpha);
  });
}

void activation_backward_loop(Activation function, float alpha, const float* y, const float* dy, float* dx, int64_t n) {
  with_activation(function, [=]<Activation f>() {
    for (int64_t i = 0; i < n; ++i) dx[i] = activation_gradient<f>(y[i], dy[i], alpha);
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

void forward(Stream& stream, ActivationChoice choice, ConstView x, View y) {
  if (x.dtype == DType::f64) return reference::activation_forward<double>(choice, x, y);
  const auto alpha = static_cast<float>(choice.alpha);
  parallel_for(stream.threads(), x.numel(), grain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(activation_forward_loop)
    (choice.function, alpha, x.as<float>() + begin, y.as<float>() + begin, end - begin);
  });
}

void backward(Stream& stream, ActivationChoice choice, ConstView y, ConstView dy, View dx) {
  if (y.dtype == DType::f64) return reference::activation_backward<double>(choice, y, dy, dx);
  const auto alpha = static_cast<float>(choice.alpha);
  parallel_for(stream.threads(), y.numel(), grain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(activation_backward_loop)
    (choice.function, alpha, y.as<float>() + begin, dy.as<float>() + begin, dx.as<float>() + begin, end - begin);
  });
}

}  // namespace

extern const ActivationFunctions activation_functions;
const ActivationFunctions activation_functions{forward, backward};

}  // namespace melgrad::cpu
#endif
