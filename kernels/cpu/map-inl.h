// y[i] = f(x[i], …) over vectors, for the instruction set at hand. Included once for each; see Highway's foreach_target.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#if defined(MELGRAD_KERNELS_CPU_MAP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_MAP_INL_H_
#undef MELGRAD_KERNELS_CPU_MAP_INL_H_
#else
#define MELGRAD_KERNELS_CPU_MAP_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using MapTag = hn::ScalableTag<float>;
using MapVector = hn::Vec<MapTag>;

// What is left of an array, in a whole vector whose other lanes are 0.
inline MapVector load_part(const float* x, int64_t count) {
  HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)] = {};
  std::copy_n(x, count, buffer);
  return hn::Load(MapTag(), buffer);
}

// The last elements go through the same instructions as the others: none depends on where a chunk ends.
template <class F, class... Inputs>
void map_vectors(int64_t n, float* y, const F& f, const Inputs*... x) {
  const MapTag d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(hn::LoadU(d, x + i)...), d, y + i);
  if (i == n) return;
  HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(f(load_part(x + i, n - i)...), d, buffer);
  std::copy_n(buffer, n - i, y + i);
}

// 1/(1 + exp(-x)), with no exponential of a large number.
inline MapVector logistic_of(MapVector x) {
  const MapTag d;
  const auto one = hn::Set(d, 1.0f), e = hn::Exp(d, hn::Neg(hn::Abs(x)));
  const auto y = hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

// Highway's holds up to 104; beyond 88.7 the result is inf in any case.
inline MapVector exp_of(MapVector x) {
  const MapTag d;
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(d, hn::Min(x, hn::Set(d, 100.0f))));
}

inline MapVector tanh_of(MapVector x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Tanh(MapTag(), x));
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
