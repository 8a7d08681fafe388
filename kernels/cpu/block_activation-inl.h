// The activations of a fused block on vectors, for the instruction set at hand: f, and its gradient from f's own value.
// Included once for each; see Highway's foreach_target.
#include <hwy/highway.h>

#include "kernels/activation.h"
#include "kernels/cpu/map-inl.h"

#if defined(MELGRAD_KERNELS_CPU_BLOCK_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_BLOCK_ACTIVATION_INL_H_
#undef MELGRAD_KERNELS_CPU_BLOCK_ACTIVATION_INL_H_
#else
#define MELGRAD_KERNELS_CPU_BLOCK_ACTIVATION_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// The function is asked for at run time, once a vector: little beside the products that made the vector.
struct BlockActivation {
  Activation function;
  float alpha;

  explicit BlockActivation(ActivationChoice choice)
      : function(choice.function), alpha(static_cast<float>(choice.alpha)) {}

  // f(x); a NaN is not below 0 and stays one.
  HWY_INLINE MapVector operator()(MapVector x) const {
    const MapTag d;
    const MapVector zero = hn::Zero(d);
    if (function == Activation::linear) return x;
    if (function == Activation::relu) return hn::IfThenElse(hn::Lt(x, zero), zero, x);
    const MapVector below = function == Activation::leaky_relu ? x : hn::Expm1(d, hn::Min(x, zero));
    return hn::IfThenElse(hn::Lt(x, zero), hn::Mul(hn::Set(d, alpha), below), x);
  }

  // f'(x) dz where z = f(x).
  HWY_INLINE MapVector gradient(MapVector z, MapVector dz) const {
    const MapTag d;
    if (function == Activation::linear) return dz;
    const auto above = hn::Gt(z, hn::Zero(d));
    if (function == Activation::relu) return hn::IfThenElseZero(above, dz);
    const MapVector a = hn::Set(d, alpha);
    const MapVector slope = function == Activation::leaky_relu ? a : hn::Add(z, a);
    return hn::IfThenElse(above, dz, hn::Mul(slope, dz));
  }
};

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
