// Strided copies on the CPU: bound by memory. Axes over which both walks go on as over one are joined, then runs along
// the last axis are copied, whole where both are contiguous. Where x lies along one axis and y along another, a run would
// use one number of each cache line; such planes are transposed in registers, tile by tile.
#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "kernels/cpu/vectorize.h"
#include "kernels/strided_copy.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/strided_copy.cpp"
#include <hwy/foreach_target.h>
// Below foreach_target.h, which includes this file again for each target.
#include "kernels/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// y[r + c·y_stride] = x[r·x_stride + c]
void transpose_plane(const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows, int64_t columns) {
  const FloatTag d;
  const int64_t whole_rows = rows / vector_lanes * vector_lanes, whole_columns = columns / vector_lanes * vector_lanes;
  for (int64_t c = 0; c < whole_columns; c += vector_lanes) {
    for (int64_t r = 0; r < whole_rows; r += vector_lanes) {
      Vector tile[vector_lanes];
      unroll<vector_lanes>([&](auto i) MELGRAD_INLINE_LAMBDA { tile[i] = hn::LoadU(d, x + (r + i) * x_stride + c); });
      transpose(tile);
      unroll<vector_lanes>([&](auto i) MELGRAD_INLINE_LAMBDA { hn::StoreU(tile[i], d, y + (c + i) * y_stride + r); });
    }
  }
  for (int64_t c = 0; c < columns; ++c)
    for (int64_t r = c < whole_columns ? whole_rows : 0; r < rows; ++r) y[r + c * y_stride] = x[r * x_stride + c];
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(transpose_plane);

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

// Where the element at place `number` of these axes lies; the last counts fastest.
struct Place {
  int64_t from, to;

  Place(const std::vector<Axis>& axes, std::size_t count, int64_t number, const Walk& x, const Walk& y)
      : from(x.offset), to(y.offset) {
    for (std::size_t i = count; i-- > 0; number /= axes[i].size) {
      from += number % axes[i].size * axes[i].from;
      to += number % axes[i].size * axes[i].to;
    }
  }
};

// Takes the axis out along which x, or y, lies closely while the other does not.
std::optional<Axis> take_axis(std::vector<Axis>& axes, int64_t Axis::*close, int64_t Axis::*wide) {
  const auto found =
      std::find_if(axes.begin(), axes.end(), [&](const Axis& axis) { return axis.*close == 1 && axis.*wide != 1; });
  if (found == axes.end()) return std::nullopt;
  const Axis axis = *found;
  axes.erase(found);
  return axis;
}

// Copies by planes if there are any worth it; false if not.
bool copy_planes(Stream& stream, std::vector<Axis> axes, const float* x, const Walk& x_walk, float* y,
                 const Walk& y_walk) {
  const std::optional<Axis> columns = take_axis(axes, &Axis::from, &Axis::to);
  const std::optional<Axis> rows = take_axis(axes, &Axis::to, &Axis::from);
  constexpr int64_t strip = 16;  // columns: a cache line of x
  if (!columns || !rows || columns->size < strip || rows->size < strip) return false;
  int64_t planes = 1;
  for (const Axis& axis : axes) planes *= axis.size;
  const int64_t strips = (columns->size + strip - 1) / strip;
  const int64_t grain = std::max<int64_t>(1, 16'384 / (strip * rows->size));
  parallel_for(stream.threads(), planes * strips, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const Place plane(axes, axes.size(), task / strips, x_walk, y_walk);
      const int64_t first = task % strips * strip;
      HWY_DYNAMIC_DISPATCH(transpose_plane)
      (x + plane.from + first, rows->from, y + plane.to + first * columns->to, columns->to, rows->size,
       std::min(strip, columns->size - first));
    }
  });
  return true;
}

template <bool accumulate, class T>
void move_all(Stream& stream, const Shape& shape, const T* x, const Walk& x_walk, T* y, const Walk& y_walk) {
  const std::vector<Axis> axes = joined_axes(shape, x_walk, y_walk);
  if constexpr (!accumulate && std::is_same_v<T, float>)
    if (copy_planes(stream, axes, x, x_walk, y, y_walk)) return;
  const Axis& inner = axes.back();
  const int64_t runs = inner.size == 0 ? 0 : shape.numel() / inner.size;
  const int64_t grain = std::max<int64_t>(1, 16'384 / std::max<int64_t>(1, inner.size));
  parallel_for(stream.threads(), runs, grain, [&](int64_t begin, int64_t end) {
    for (int64_t run = begin; run < end; ++run) {
      const Place place(axes, axes.size() - 1, run, x_walk, y_walk);
      move_run<accumulate>(x + place.from, inner, y + place.to, inner.size);
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
#endif
