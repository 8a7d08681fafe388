// Strided copies on the CPU: bound by memory. Axes over which both walks go on as over one are joined, then runs along
// the last axis are copied, whole where both are contiguous.
#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/cpu/vectorize.h"
#include "kernels/strided_copy.h"

namespace melgrad::cpu {
namespace {

struct Axis {
  int64_t size = 1, from = 0, to = 0;  // strides
};

// Outermost first; at least one.
std::vector<Axis> joined_axes(const Shape& shape, const Walk& x, const Walk& y) {
  std::vector<Axis> axes;
  for (int64_t i = 0; i < shape.rank(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const Axis inner{shape[i], x.strides[at], y.strides[at]};
    if (inner.size == 1) continue;
    if (!axes.empty() && axes.back().from == inner.from * inner.size && axes.back().to == inner.to * inner.size) {
      axes.back() = {axes.back().size * inner.size, inner.from, inner.to};
    } else {
      axes.push_back(inner);
    }
  }
  if (axes.empty()) axes.emplace_back();
  return axes;
}

template <bool accumulate, class T>
void move_run(const T* x, const Axis& axis, T* y, int64_t count) {
  if constexpr (!accumulate) {
    if (axis.from == 1 && axis.to == 1) {
      std::memcpy(y, x, static_cast<std::size_t>(count) * sizeof(T));
      return;
    }
  }
  MELGRAD_VECTORIZE
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (accumulate)
      y[i * axis.to] += x[i * axis.from];
    else
      y[i * axis.to] = x[i * axis.from];
  }
}

template <bool accumulate, class T>
void move_all(Stream& stream, const Shape& shape, const T* x, const Walk& x_walk, T* y, const Walk& y_walk) {
  const std::vector<Axis> axes = joined_axes(shape, x_walk, y_walk);
  const Axis& inner = axes.back();
  const int64_t runs = inner.size == 0 ? 0 : shape.numel() / inner.size;
  const int64_t grain = std::max<int64_t>(1, 16'384 / std::max<int64_t>(1, inner.size));
  parallel_for(stream.threads(), runs, grain, [&](int64_t begin, int64_t end) {
    for (int64_t run = begin; run < end; ++run) {
      int64_t from = x_walk.offset, to = y_walk.offset, rest = run;
      for (std::size_t i = axes.size() - 1; i-- > 0; rest /= axes[i].size) {
        from += rest % axes[i].size * axes[i].from;
        to += rest % axes[i].size * axes[i].to;
      }
      move_run<accumulate>(x + from, inner, y + to, inner.size);
    }
  });
}

void copy_all(Stream& stream, const Shape& shape, ConstView x, const Walk& x_walk, View y, const Walk& y_walk) {
  if (x.dtype == DType::f64)
    move_all<false>(stream, shape, x.as<double>(), x_walk, y.as<double>(), y_walk);
  else if (x.dtype == DType::i32)
    move_all<false>(stream, shape, x.as<int32_t>(), x_walk, y.as<int32_t>(), y_walk);
  else
    move_all<false>(stream, shape, x.as<float>(), x_walk, y.as<float>(), y_walk);
}

void add_all(Stream& stream, const Shape& shape, ConstView x, const Walk& x_walk, View y, const Walk& y_walk) {
  if (x.dtype == DType::f64)
    move_all<true>(stream, shape, x.as<double>(), x_walk, y.as<double>(), y_walk);
  else
    move_all<true>(stream, shape, x.as<float>(), x_walk, y.as<float>(), y_walk);
}

}  // namespace

extern const StridedCopyFunctions strided_copy_functions;
const StridedCopyFunctions strided_copy_functions{copy_all, add_all};

}  // namespace melgrad::cpu
