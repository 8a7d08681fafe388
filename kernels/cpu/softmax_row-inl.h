// What softmax and its gradient need of one row, for the instruction set at hand. Included once for each; see Highway's
// foreach_target.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#if defined(MELGRAD_KERNELS_CPU_SOFTMAX_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_SOFTMAX_ROW_INL_H_
#undef MELGRAD_KERNELS_CPU_SOFTMAX_ROW_INL_H_
#else
#define MELGRAD_KERNELS_CPU_SOFTMAX_ROW_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using SoftmaxTag = hn::ScalableTag<float>;

// The last, incomplete vector of a row, filled up with -inf: its exponential adds nothing.
inline hn::Vec<SoftmaxTag> load_rest(const float* x, int64_t count) {
  HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)];
  std::fill_n(buffer, hn::Lanes(SoftmaxTag()), -std::numeric_limits<float>::infinity());
  std::copy_n(x, count, buffer);
  return hn::Load(SoftmaxTag(), buffer);
}

// Ignores NaN, which the exponentials then show.
inline float row_maximum(const float* x, int64_t n) {
  const SoftmaxTag d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto maximum = hn::Set(d, -std::numeric_limits<float>::infinity());
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto value = hn::LoadU(d, x + i);
    maximum = hn::IfThenElse(hn::Lt(maximum, value), value, maximum);
  }
  if (i < n) {
    const auto value = load_rest(x + i, n - i);
    maximum = hn::IfThenElse(hn::Lt(maximum, value), value, maximum);
  }
  return hn::GetLane(hn::MaxOfLanes(d, maximum));
}

// exp(x) for x <= 0, and NaN of NaN (of which Highway's makes 0).
inline hn::Vec<SoftmaxTag> exponential(hn::Vec<SoftmaxTag> x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(SoftmaxTag(), x));
}

// y = exp(x - maximum); their sum.
inline float row_exponentials(const float* x, int64_t n, float maximum, float* y) {
  const SoftmaxTag d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto shift = hn::Set(d, maximum);
  auto sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto value = exponential(hn::Sub(hn::LoadU(d, x + i), shift));
    hn::StoreU(value, d, y + i);
    sum = hn::Add(sum, value);
  }
  if (i < n) {
    const auto value = exponential(hn::Sub(load_rest(x + i, n - i), shift));
    HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)];
    hn::Store(value, d, buffer);
    std::copy_n(buffer, n - i, y + i);
    sum = hn::Add(sum, value);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

struct SoftmaxRow {
  float maximum, sum;  // max x, Σ exp(x - max x)
};

inline SoftmaxRow softmax_row(const float* x, int64_t n, float* y) {
  const float maximum = row_maximum(x, n);
  const float sum = row_exponentials(x, n, maximum, y);
  for (int64_t i = 0; i < n; ++i) y[i] /= sum;
  return {maximum, sum};
}

// Σ a b.
inline float row_dot(const float* a, const float* b, int64_t n) {
  const SoftmaxTag d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto sums = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) sums = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sums);
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
