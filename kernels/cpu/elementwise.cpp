// Elementwise arithmetic on the CPU: streaming loops that the compiler vectorises for each instruction set; bound by
// memory. Broadcasting becomes a walk over contiguous runs, in each of which an operand either advances or stands
// still.
#include <algorithm>
#include <vector>

#include "kernels/cpu/vectorize.h"
#include "kernels/reference/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/elementwise.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

// A stride is 1 or 0: the operand is one number for the whole run.
void binary_run(Binary operation, const float* a, int64_t a_stride, const float* b, int64_t b_stride, float* y,
                int64_t n) {
  with_binary(operation, [=]<Binary f>() {
    if (a_stride == 0) {
      const float value = *a;
      MELGRAD_VECTORIZE
      for (int64_t i = 0; i < n; ++i) y[i] = combine<f>(value, b[i * b_stride]);
    } else if (b_stride == 0) {
      const float value = *b;
      MELGRAD_VECTORIZE
      for (int64_t i = 0; i < n; ++i) y[i] = combine<f>(a[i], value);
    } else {
      MELGRAD_VECTORIZE
      for (int64_t i = 0; i < n; ++i) y[i] = combine<f>(a[i], b[i]);
    }
  });
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(binary_run);

constexpr int64_t grain = 1 << 15;  // elements a chunk: half an L2

// An axis of y, and how far each operand moves along it: 0 where it repeats.
struct Axis {
  int64_t size = 1, a_stride = 0, b_stride = 0;
};

// y's axes, outermost first, without those of size 1, and joined where both operands walk on as over one axis.
std::vector<Axis> make_axes(const Shape& a, const Shape& b, const Shape& y) {
  std::vector<Axis> axes;
  int64_t a_stride = 1, b_stride = 1;
  for (int64_t back = 1; back <= y.rank(); ++back) {
    const int64_t a_size = back <= a.rank() ? a[-back] : 1, b_size = back <= b.rank() ? b[-back] : 1;
    if (y[-back] != 1) {
      const Axis axis{y[-back], a_size == 1 ? 0 : a_stride, b_size == 1 ? 0 : b_stride};
      Axis* inner = axes.empty() ? nullptr : &axes.back();
      if (inner != nullptr && axis.a_stride == inner->a_stride * inner->size &&
          axis.b_stride == inner->b_stride * inner->size) {
        inner->size *= axis.size;
      } else {
        axes.push_back(axis);
      }
    }
    a_stride *= a_size;
    b_stride *= b_size;
  }
  std::reverse(axes.begin(), axes.end());
  if (axes.empty()) axes.emplace_back();
  return axes;
}

// Elements begin … end of y, run by run.
void binary_chunk(Binary operation, const std::vector<Axis>& axes, const float* a, const float* b, float* y,
                  int64_t begin, int64_t end) {
  const Axis& inner = axes.back();
  while (begin < end) {
    int64_t rest = begin / inner.size, at = begin % inner.size;
    int64_t a_offset = at * inner.a_stride, b_offset = at * inner.b_stride;
    for (std::size_t i = axes.size() - 1; i-- > 0; rest /= axes[i].size) {
      a_offset += rest % axes[i].size * axes[i].a_stride;
      b_offset += rest % axes[i].size * axes[i].b_stride;
    }
    const int64_t count = std::min(inner.size - at, end - begin);
    HWY_DYNAMIC_DISPATCH(binary_run)
    (operation, a + a_offset, inner.a_stride, b + b_offset, inner.b_stride, y + begin, count);
    begin += count;
  }
}

void binary_f32(Stream& stream, Binary operation, const float* a, const Shape& a_shape, const float* b,
                const Shape& b_shape, View y) {
  const std::vector<Axis> axes = make_axes(a_shape, b_shape, y.shape);
  parallel_for(stream.threads(), y.numel(), grain,
               [&](int64_t begin, int64_t end) { binary_chunk(operation, axes, a, b, y.as<float>(), begin, end); });
}

void binary(Stream& stream, Binary operation, ConstView a, ConstView b, View y) {
  if (y.dtype == DType::f64) return reference::elementwise_binary<double>(operation, a, b, y);
  binary_f32(stream, operation, a.as<float>(), a.shape, b.as<float>(), b.shape, y);
}

// A product with one number.
void scale(Stream& stream, double factor, ConstView x, View y) {
  if (y.dtype == DType::f64) return reference::elementwise_scale<double>(factor, x, y);
  const auto number = static_cast<float>(factor);
  binary_f32(stream, Binary::multiply, x.as<float>(), x.shape, &number, Shape{}, y);
}

}  // namespace

extern const ElementwiseFunctions elementwise_functions;
const ElementwiseFunctions elementwise_functions{binary, scale};

}  // namespace melgrad::cpu
#endif
