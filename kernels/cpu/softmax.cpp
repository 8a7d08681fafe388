// Softmax on the CPU: vectors over the classes of a row, threads over rows; bound by the exponentials.
#include "kernels/reference/softmax.h"
#include "kernels/cpu/vectorize.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/softmax.cpp"
#include <hwy/foreach_target.h>
// Below foreach_target.h, which includes this file again for each target.
#include "kernels/cpu/softmax_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

void softmax_rows(const float* x, int64_t rows, int64_t classes, float* y) {
  for (int64_t row = 0; row < rows; ++row) softmax_row(x + row * classes, classes, y + row * classes);
}

void softmax_backward_rows(const float* y, const float* dy, int64_t rows, int64_t classes, float* dx) {
  for (int64_t start = 0; start < rows * classes; start += classes) {
    const float* out = y + start;
    const float* gradient = dy + start;
    float* result = dx + start;
    const float dot = row_dot(out, gradient, classes);
    MELGRAD_VECTORIZE
    for (int64_t i = 0; i < classes; ++i) result[i] = softmax_gradient(out[i], gradient[i], dot);
  }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(softmax_rows);
HWY_EXPORT(softmax_backward_rows);

// body(first element, rows, classes) over chunks of about 4096 elements.
template <class Body>
void for_rows(Stream& stream, const ConstView& x, const Body& body) {
  if (x.numel() == 0) return;
  const int64_t classes = x.shape[-1];
  parallel_for(stream.threads(), x.numel() / classes, std::max<int64_t>(1, 4096 / classes),
               [&](int64_t begin, int64_t end) { body(begin * classes, end - begin, classes); });
}

void forward(Stream& stream, ConstView x, View y) {
  if (x.dtype == DType::f64) return reference::softmax_forward<double>(x, y);
  for_rows(stream, x, [&](int64_t start, int64_t rows, int64_t classes) {
    HWY_DYNAMIC_DISPATCH(softmax_rows)(x.as<float>() + start, rows, classes, y.as<float>() + start);
  });
}

void backward(Stream& stream, ConstView y, ConstView dy, View dx) {
  if (y.dtype == DType::f64) return reference::softmax_backward<double>(y, dy, dx);
  for_rows(stream, y, [&](int64_t start, int64_t rows, int64_t classes) {
    HWY_DYNAMIC_DISPATCH(softmax_backward_rows)
    (y.as<float>() + start, dy.as<float>() + start, rows, classes, dx.as<float>() + start);
  });
}

}  // namespace

extern const SoftmaxFunctions softmax_functions;
const SoftmaxFunctions softmax_functions{forward, backward};

}  // namespace melgrad::cpu
#endif
