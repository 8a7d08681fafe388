#include "kernels/softmax_cross_entropy.h"

#include "kernels/check.h"
#include "kernels/dispatch.h"

namespace melgrad {
namespace cpu {
extern const SoftmaxCrossEntropyFunctions softmax_cross_entropy_functions;
}
namespace simt {
extern const SoftmaxCrossEntropyFunctions softmax_cross_entropy_functions;
}

namespace {

const SoftmaxCrossEntropyFunctions& functions(Device device) {
  return functions_for("softmax_cross_entropy", device, &cpu::softmax_cross_entropy_functions,
                       &simt::softmax_cross_entropy_functions);
}

// (rows, classes) with at least one class, and one label and one loss a row.
void expect_rows(const char* operation, const char* name, const ConstView& logits, const ConstView& labels,
                 const char* loss_name, const ConstView& loss) {
  if (logits.shape.rank() != 2 || logits.shape[1] < 1)
    fail("{}: {} is {}, expected (rows, classes)", operation, name, logits.shape.to_string());
  expect_index(operation, "labels", labels, logits.device);
  const Shape rows{logits.shape[0]};
  expect_shape(operation, "labels", labels, rows);
  expect_shape(operation, loss_name, loss, rows);
}

// Only the host can look at labels without waiting for a device.
void expect_labels(const char* operation, const ConstView& labels, int64_t classes) {
  if (labels.device != Device::cpu) return;
  const int32_t* label = labels.as<int32_t>();
  for (int64_t i = 0; i < labels.numel(); ++i)
    require(label[i] >= 0 && label[i] < classes, "{}: label {} of row {}, expected 0 to {}", operation, label[i], i,
            classes - 1);
}

}  // namespace

void softmax_cross_entropy_forward(Stream& stream, ConstView logits, ConstView labels, View loss, View probabilities) {
  const char* operation = "softmax_cross_entropy_forward";
  expect_alike(operation, logits, loss, probabilities);
  expect_rows(operation, "logits", logits, labels, "loss", loss);
  expect_shape(operation, "probabilities", probabilities, logits.shape);
  expect_labels(operation, labels, logits.shape[1]);
  functions(logits.device).forward(stream, logits, labels, loss, probabilities);
}

void softmax_cross_entropy_backward(Stream& stream, ConstView probabilities, ConstView labels, ConstView dloss,
                                    View dlogits) {
  const char* operation = "softmax_cross_entropy_backward";
  expect_alike(operation, probabilities, dloss, dlogits);
  expect_rows(operation, "probabilities", probabilities, labels, "dloss", dloss);
  expect_shape(operation, "dlogits", dlogits, probabilities.shape);
  expect_labels(operation, labels, probabilities.shape[1]);
  functions(probabilities.device).backward(stream, probabilities, labels, dloss, dlogits);
}

}  // namespace melgrad
