// Batch normalisation on the CPU.
#include "kernels/reference/batch_norm.h"

namespace melgrad::cpu {
namespace {

void train_forward(Stream&, double epsilon, ConstView x, ConstView gamma, ConstView beta, View y, View mean,
                   View variance) {
  if (x.dtype == DType::f64)
    return reference::batch_norm_train_forward<double>(epsilon, x, gamma, beta, y, mean, variance);
  reference::batch_norm_train_forward<float>(epsilon, x, gamma, beta, y, mean, variance);
}

void train_backward(Stream&, double epsilon, ConstView x, ConstView gamma, ConstView mean, ConstView variance,
                    ConstView dy, View dx, View dgamma, View dbeta) {
  if (x.dtype == DType::f64)
    return reference::batch_norm_backward<double>(true, epsilon, x, gamma, mean, variance, dy, dx, dgamma, dbeta);
  reference::batch_norm_backward<float>(true, epsilon, x, gamma, mean, variance, dy, dx, dgamma, dbeta);
}

void infer_forward(Stream&, double epsilon, ConstView x, ConstView gamma, ConstView beta, ConstView mean,
                   ConstView variance, View y) {
  if (x.dtype == DType::f64)
    return reference::batch_norm_infer_forward<double>(epsilon, x, gamma, beta, mean, variance, y);
  reference::batch_norm_infer_forward<float>(epsilon, x, gamma, beta, mean, variance, y);
}

void infer_backward(Stream&, double epsilon, ConstView x, ConstView gamma, ConstView mean, ConstView variance,
                    ConstView dy, View dx, View dgamma, View dbeta) {
  if (x.dtype == DType::f64)
    return reference::batch_norm_backward<double>(false, epsilon, x, gamma, mean, variance, dy, dx, dgamma, dbeta);
  reference::batch_norm_backward<float>(false, epsilon, x, gamma, mean, variance, dy, dx, dgamma, dbeta);
}

void update_running(Stream&, double keep, RunningVariance kind, int64_t rows, ConstView mean, ConstView variance,
                    View running_mean, View running_variance) {
  if (mean.dtype == DType::f64)
    return reference::batch_norm_update_running<double>(keep, kind, rows, mean, variance, running_mean,
                                                        running_variance);
  reference::batch_norm_update_running<float>(keep, kind, rows, mean, variance, running_mean, running_variance);
}

}  // namespace

extern const BatchNormFunctions batch_norm_functions;
const BatchNormFunctions batch_norm_functions{train_forward, train_backward, infer_forward, infer_backward,
                                              update_running};

}  // namespace melgrad::cpu
