// Softmax with cross-entropy on the CPU: vectors over the classes of a row, threads over rows; bound by the
// exponentials.
#include "kernels/reference/softmax_cross_entropy.h"
#include "kernels/cpu/vectorize.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/softmax_cross_entropy.cpp"
#include <hwy/foreach_target.h>
// Below foreach_target.h, which includes this file again for each target.
#include "kernels/cpu/softmax_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

void cross_entropy_rows(const float* logits, const int32_t* labels, int64_t rows, int64_t classes, float* loss,
                        float* probabilities) {
  for (int64_t row = 0; row < rows; ++row) {
    const float* x = logits + row * classes;
    const SoftmaxRow of_row = softmax_row(x, classes, probabilities + row * classes);
    loss[row] = cross_entropy(of_row.sum, of_row.maximum, x[labels[row]]);
  }
}

void cross_entropy_backward_rows(const float* probabilities, const int32_t* labels, const float* dloss, int64_t rows,
                                 int64_t classes, float* dlogits) {
  for (int64_t row = 0; row < rows; ++row) {
    const float* y = probabilities + row * classes;
    float* dx = dlogits + row * classes;
    const float scale = dloss[row];
    MELGRAD_VECTORIZE
    for (int64_t i = 0; i < classes; ++i) dx[i] = cross_entropy_gradient(y[i], false, scale);
    dx[labels[row]] = cross_entropy_gradient(y[labels[row]], true, scale);
  }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(cross_entropy_rows);
HWY_EXPORT(cross_entropy_backward_rows);

// Rows of about 4096 elements.
int64_t grain(const ConstView& logits) {
  return std::max<int64_t>(1, 4096 / logits.shape[1]);
}

void forward(Stream& stream, ConstView logits, ConstView labels, View loss, View probabilities) {
  if (logits.dtype == DType::f64)
    return reference::softmax_cross_entropy_forward<double>(logits, labels, loss, probabilities);
  const int64_t classes = logits.shape[1];
  parallel_for(stream.threads(), logits.shape[0], grain(logits), [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(cross_entropy_rows)
    (logits.as<float>() + begin * classes, labels.as<int32_t>() + begin, end - begin, classes, loss.as<float>() + begin,
     probabilities.as<float>() + begin * classes);
  });
}

void backward(Stream& stream, ConstView probabilities, ConstView labels, ConstView dloss, View dlogits) {
  if (probabilities.dtype == DType::f64)
    return reference::softmax_cross_entropy_backward<double>(probabilities, labels, dloss, dlogits);
  const int64_t classes = probabilities.shape[1];
  parallel_for(stream.threads(), probabilities.shape[0], grain(probabilities), [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(cross_entropy_backward_rows)
    (probabilities.as<float>() + begin * classes, labels.as<int32_t>() + begin, dloss.as<float>() + begin, end - begin,
     classes, dlogits.as<float>() + begin * classes);
  });
}

}  // namespace

extern const SoftmaxCrossEntropyFunctions softmax_cross_entropy_functions;
const SoftmaxCrossEntropyFunctions softmax_cross_entropy_functions{forward, backward};

}  // namespace melgrad::cpu
#endif
