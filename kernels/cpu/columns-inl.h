// Reductions down the columns of a (rows, width) array for the instruction set at hand. Included once for each; see
// Highway's foreach_target.
#include <hwy/highway.h>

#include <cstdint>
#include <limits>

#if defined(MELGRAD_KERNELS_CPU_COLUMNS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MELGRAD_KERNELS_CPU_COLUMNS_INL_H_
#undef MELGRAD_KERNELS_CPU_COLUMNS_INL_H_
#else
#define MELGRAD_KERNELS_CPU_COLUMNS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

struct AddColumns {
  static constexpr float start = 0;
  template <class V>
  V operator()(V total, V value) const {
    return hn::Add(total, value);
  }
};

struct MaximumOfColumns {
  static constexpr float start = -std::numeric_limits<float>::infinity();
  template <class V>
  V operator()(V total, V value) const {
    return hn::IfThenElse(hn::Or(hn::Lt(total, value), hn::IsNaN(value)), value, total);  // a NaN stays
  }
};

// Columns j … j + 4 vectors, in registers: four chains of operations hide each other's latency.
template <class D, class Operation, class Term>
void reduce_four_vectors(D d, Operation operation, int64_t n, int64_t width, int64_t j, float* out, const Term& term) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto total0 = hn::Set(d, Operation::start);
  auto total1 = total0, total2 = total0, total3 = total0;
  for (int64_t i = j; i < n; i += width) {
    total0 = operation(total0, term(d, i, j));
    total1 = operation(total1, term(d, i + lanes, j + lanes));
    total2 = operation(total2, term(d, i + 2 * lanes, j + 2 * lanes));
    total3 = operation(total3, term(d, i + 3 * lanes, j + 3 * lanes));
  }
  hn::StoreU(total0, d, out + j);
  hn::StoreU(total1, d, out + j + lanes);
  hn::StoreU(total2, d, out + j + 2 * lanes);
  hn::StoreU(total3, d, out + j + 3 * lanes);
}

template <class D, class Operation, class Term>
void reduce_vector(D d, Operation operation, int64_t n, int64_t width, int64_t j, float* out, const Term& term) {
  auto total = hn::Set(d, Operation::start);
  for (int64_t i = j; i < n; i += width) total = operation(total, term(d, i, j));
  hn::StoreU(total, d, out + j);
}

// out[j] = the terms of elements i = j, j + width, … below n, in that order; term(d, i, j) gives those of Lanes(d)
// elements from i, of the columns from j. The last row may be shorter than `width`.
template <class Operation, class Term>
void reduce_columns(Operation operation, int64_t n, int64_t width, float* out, const Term& term) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t whole = n / width * width;
  int64_t j = 0;
  for (; j + 4 * lanes <= width; j += 4 * lanes) reduce_four_vectors(d, operation, whole, width, j, out, term);
  for (; j + lanes <= width; j += lanes) reduce_vector(d, operation, whole, width, j, out, term);
  for (; j < width; ++j) reduce_vector(one, operation, whole, width, j, out, term);
  for (j = 0; whole + j < n; ++j) hn::StoreU(operation(hn::LoadU(one, out + j), term(one, whole + j, j)), one, out + j);
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
