#include "kernels/batch_norm.h"

#include <utility>

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const BatchNormFunctions batch_norm_functions;
}
namespace simt {
extern const BatchNormFunctions batch_norm_functions;
}

namespace {

const BatchNormFunctions& functions(Device device) {
  return functions_for("batch_norm", device, &cpu::batch_norm_functions, &simt::batch_norm_functions);
}

// All but x-shaped views are (c).
template <class... Views>
void expect_channels(const char* operation, const ConstView& x, const Views&... views) {
  require(x.shape.rank() >= 1, "{}: x is a scalar, expected (…, c)", operation);
  const Shape channels{x.shape[-1]};
  (expect_shape(operation, views.first, views.second, channels), ...);
}

using Named = std::pair<const char*, ConstView>;

void expect_epsilon(const char* operation, double epsilon) {
  require(epsilon >= 0, "{}: epsilon is {}, expected at least 0", operation, epsilon);
}

void expect_backward(const char* operation, double epsilon, const ConstView& x, const ConstView& gamma,
                     const ConstView& mean, const ConstView& variance, const ConstView& dy, const ConstView& dx,
                     const ConstView& dgamma, const ConstView& dbeta) {
  expect_alike(operation, x, gamma, mean, variance, dy, dx, dgamma, dbeta);
  expect_epsilon(operation, epsilon);
  expect_channels(operation, x, Named{"gamma", gamma}, Named{"mean", mean}, Named{"variance", variance},
                  Named{"dgamma", dgamma}, Named{"dbeta", dbeta});
  expect_shape(operation, "dy", dy, x.shape);
  expect_shape(operation, "dx", dx, x.shape);
}

}  // namespace

void batch_norm_train_forward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView beta, View y,
                              View mean, View variance) {
  const char* operation = "batch_norm_train_forward";
  expect_alike(operation, x, gamma, beta, y, mean, variance);
  expect_epsilon(operation, epsilon);
  expect_channels(operation, x, Named{"gamma", gamma}, Named{"beta", beta}, Named{"mean", mean},
                  Named{"variance", variance});
  expect_shape(operation, "y", y, x.shape);
  if (x.numel() == 0 && x.shape[-1] != 0)
    fail("{}: x is {}, which has no rows to take statistics of", operation, x.shape.to_string());
  functions(x.device).train_forward(stream, epsilon, x, gamma, beta, y, mean, variance);
}

void batch_norm_train_backward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView mean,
                               ConstView variance, ConstView dy, View dx, View dgamma, View dbeta) {
  expect_backward("batch_norm_train_backward", epsilon, x, gamma, mean, variance, dy, dx, dgamma, dbeta);
  functions(x.device).train_backward(stream, epsilon, x, gamma, mean, variance, dy, dx, dgamma, dbeta);
}

void batch_norm_infer_forward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView beta,
                              ConstView mean, ConstView variance, View y) {
  const char* operation = "batch_norm_infer_forward";
  expect_alike(operation, x, gamma, beta, mean, variance, y);
  expect_epsilon(operation, epsilon);
  expect_channels(operation, x, Named{"gamma", gamma}, Named{"beta", beta}, Named{"mean", mean},
                  Named{"variance", variance});
  expect_shape(operation, "y", y, x.shape);
  functions(x.device).infer_forward(stream, epsilon, x, gamma, beta, mean, variance, y);
}

void batch_norm_infer_backward(Stream& stream, double epsilon, ConstView x, ConstView gamma, ConstView mean,
                               ConstView variance, ConstView dy, View dx, View dgamma, View dbeta) {
  expect_backward("batch_norm_infer_backward", epsilon, x, gamma, mean, variance, dy, dx, dgamma, dbeta);
  functions(x.device).infer_backward(stream, epsilon, x, gamma, mean, variance, dy, dx, dgamma, dbeta);
}

void batch_norm_update_running(Stream& stream, double keep, RunningVariance kind, int64_t rows, ConstView mean,
                               ConstView variance, View running_mean, View running_variance) {
  const char* operation = "batch_norm_update_running";
  expect_alike(operation, mean, variance, running_mean, running_variance);
  require(keep >= 0 && keep <= 1, "{}: keep is {}, expected 0 to 1", operation, keep);
  require(rows >= 1, "{}: a batch of {} rows, expected at least 1", operation, rows);
  expect_channels(operation, mean, Named{"mean", mean}, Named{"variance", variance},
                  Named{"running_mean", running_mean}, Named{"running_variance", running_variance});
  functions(mean.device).update_running(stream, keep, kind, rows, mean, variance, running_mean, running_variance);
}

}  // namespace melgrad
