// Softmax with cross-entropy to a distribution on the CPU: the softmax in vectors over the classes of a row, threads
// over rows; bound by the exponentials.
#include "kernels/reference/soft_cross_entropy.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/soft_cross_entropy.cpp"
#include <hwy/foreach_target.h>
// Below foreach_target.h, which includes this file again for each target.
#include "kernels/cpu/softmax_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace melgrad::cpu::HWY_NAMESPACE {

void soft_cross_entropy_rows(TargetScale scale, const float* logits, const float* targets, int64_t rows,
                             int64_t classes, float* loss, float* probabilities) {
  for (int64_t row = 0; row < rows; ++row) {
    const float *x = logits + row * classes, *t = targets + row * classes;
    const SoftmaxRow of_row = softmax_row(x, classes, probabilities + row * classes);
    loss[row] = reference::soft_loss(of_row, reference::target_factor(scale, t, classes), x, t, classes);
  }
}

void soft_cross_entropy_backward_rows(TargetScale scale, const float* probabilities, const float* targets,
                                      const float* dloss, int64_t rows, int64_t classes, float* dlogits) {
  for (int64_t row = 0; row < rows; ++row) {
    const float* t = targets + row * classes;
    reference::soft_gradient(reference::target_factor(scale, t, classes), probabilities + row * classes, t, dloss[row],
                             classes, dlogits + row * classes);
  }
}

}  // namespace melgrad::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace melgrad::cpu {
namespace {

HWY_EXPORT(soft_cross_entropy_rows);
HWY_EXPORT(soft_cross_entropy_backward_rows);

// Rows of about 4096 elements.
int64_t grain(int64_t classes) {
  return std::max<int64_t>(1, 4096 / classes);
}

void forward(Stream& stream, TargetScale scale, ConstView logits, ConstView targets, View loss, View probabilities) {
  if (logits.dtype == DType::f64)
    return reference::soft_cross_entropy_forward<double>(scale, logits, targets, loss, probabilities);
  const int64_t classes = logits.shape[1];
  parallel_for(stream.threads(), logits.shape[0], grain(classes), [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(soft_cross_entropy_rows)
    (scale, logits.as<float>() + begin * classes, targets.as<float>() + begin * classes, end - begin, classes,
     loss.as<float>() + begin, probabilities.as<float>() + begin * classes);
  });
}

void backward(Stream& stream, TargetScale scale, ConstView probabilities, ConstView targets, ConstView dloss,
              View dlogits) {
  if (targets.dtype == DType::f64)
    return reference::soft_cross_entropy_backward<double>(scale, probabilities, targets, dloss, dlogits);
  const int64_t classes = targets.shape[1];
  parallel_for(stream.threads(), targets.shape[0], grain(classes), [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(soft_cross_entropy_backward_rows)
    (scale, probabilities.as<float>() + begin * classes, targets.as<float>() + begin * classes,
     dloss.as<float>() + begin, end - begin, classes, dlogits.as<float>() + begin * classes);
  });
}

}  // namespace

extern const SoftCrossEntropyFunctions soft_cross_entropy_functions;
const SoftCrossEntropyFunctions soft_cross_entropy_functions{forward, backward};

}  // namespace melgrad::cpu
#endif
