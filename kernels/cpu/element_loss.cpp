// Element-wise losses on the CPU. Binary cross-entropy, which taggers have for every clip and tag, is in vectors for each
// instruction set; the others are the reference's loops, by threads.
#include "kernels/reference/element_loss.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/element_loss.cpp"
#include <hwy/foreach_target.h>
// Below foreach_target.h, which includes this file again for each target.
#include "kernels/cpu/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

void element_loss_forward_loop(ElementLoss loss, const float* x, const float* t, float* y, int64_t n) {
  if (loss != ElementLoss::binary_cross_entropy_logits) return reference::element_loss_forward(loss, x, t, y, 0, n);
  map_vectors(
      n, y,
      [](auto value, auto target) {
        const MapTag d;
        const auto rest = hn::Log1p(d, hn::Exp(d, hn::Neg(hn::Abs(value))));
        const auto result = hn::Add(hn::Sub(hn::Max(value, hn::Zero(d)), hn::Mul(target, value)), rest);
        return hn::IfThenElse(hn::IsNaN(value), value, result);
      },
      x, t);
}

void element_loss_backward_loop(ElementLoss loss, const float* x, const float* t, const float* dy, float* dx,
                                int64_t n) {
  if (loss != ElementLoss::binary_cross_entropy_logits)
    return reference::element_loss_backward(loss, x, t, dy, dx, 0, n);
  map_vectors(
      n, dx,
      [](auto value, auto target, auto gradient) { return hn::Mul(hn::Sub(logistic_of(value), target), gradient); }, x,
      t, dy);
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(element_loss_forward_loop);
HWY_EXPORT(element_loss_backward_loop);

constexpr int64_t grain = 1 << 12;  // elements a chunk

void forward(Stream& stream, ElementLoss loss, ConstView prediction, ConstView target, View y) {
  if (y.dtype == DType::f64) return reference::element_loss_forward<double>(loss, prediction, target, y);
  parallel_for(stream.threads(), y.numel(), grain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(element_loss_forward_loop)
    (loss, prediction.as<float>() + begin, target.as<float>() + begin, y.as<float>() + begin, end - begin);
  });
}

void backward(Stream& stream, ElementLoss loss, ConstView prediction, ConstView target, ConstView dy, View dx) {
  if (dx.dtype == DType::f64) return reference::element_loss_backward<double>(loss, prediction, target, dy, dx);
  parallel_for(stream.threads(), dx.numel(), grain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(element_loss_backward_loop)
    (loss, prediction.as<float>() + begin, target.as<float>() + begin, dy.as<float>() + begin, dx.as<float>() + begin,
     end - begin);
  });
}

}  // namespace

extern const ElementLossFunctions element_loss_functions;
const ElementLossFunctions element_loss_functions{forward, backward};

}  // namespace melgrad::cpu
#endif
