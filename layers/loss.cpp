#include "layers/loss.h"

#include "tensor/ops/elementwise.h"
#include "tensor/ops/loss.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/reshape.h"
#include "tensor/ops/softmax.h"

namespace melgrad {
namespace {

// A tensor of the output's kind from host numbers.
Tensor like(const Tensor& output, const std::vector<double>& values, const Shape& shape) {
  if (output.dtype() == DType::f64) return Tensor::from(values, shape, output.device());
  return Tensor::from(std::vector<float>(values.begin(), values.end()), shape, output.device());
}

std::vector<double> host_values(const Tensor& tensor) {
  const Tensor host = tensor.to(Device::cpu);
  if (host.dtype() == DType::f64) return {host.data<double>().begin(), host.data<double>().end()};
  return {host.data<float>().begin(), host.data<float>().end()};
}

// The weight of each label's class, (n).
Tensor weights_of_labels(const Tensor& output, const Tensor& labels, const std::vector<double>& class_weights) {
  const Tensor host = labels.to(Device::cpu);
  std::vector<double> weights;
  for (int32_t label : host.data<int32_t>()) {
    require(label >= 0 && static_cast<std::size_t>(label) < class_weights.size(), "loss: label {} of {} classes", label,
            class_weights.size());
    weights.push_back(class_weights[static_cast<std::size_t>(label)]);
  }
  return like(output, weights, {static_cast<int64_t>(weights.size())});
}

// Each row over its sum; a row of zeros stays.
Tensor rows_over_sums(const Tensor& output, const Tensor& targets) {
  std::vector<double> values = host_values(targets);
  const auto classes = static_cast<std::size_t>(targets.shape()[1]);
  for (std::size_t row = 0; row < values.size(); row += classes) {
    double total = 0;
    for (std::size_t c = 0; c < classes; ++c) total += values[row + c];
    for (std::size_t c = 0; c < classes && total != 0; ++c) values[row + c] /= total;
  }
  return like(output, values, targets.shape());
}

// Losses of the samples (n), and what they are weighted with, or undefined.
struct SampleLosses {
  Tensor losses;
  Tensor weights;
};

SampleLosses cross_entropies(const LossOptions& options, const Tensor& logits, const Tensor& targets) {
  const bool weighted = !options.class_weights.empty();
  if (targets.dtype() == DType::i32)
    return {softmax_cross_entropy(logits, targets),
            weighted ? weights_of_labels(logits, targets, options.class_weights) : Tensor()};
  if (!weighted) return {soft_cross_entropy(logits, targets, options.target_scale), {}};
  const Tensor weights = like(logits, options.class_weights, {1, logits.shape()[1]});
  const Tensor scaled =
      options.target_scale == TargetScale::sum_to_one ? rows_over_sums(logits, targets) : targets.detach();
  return {soft_cross_entropy(logits, multiply(scaled, weights)), {}};
}

SampleLosses element_losses(const LossOptions& options, ElementLoss loss, const Tensor& prediction,
                            const Tensor& targets) {
  require(targets.dtype() != DType::i32, "loss: {} takes targets (n, outputs); make labels one_hot()",
          name_of(options.loss));
  Tensor losses = element_loss(loss, prediction, targets);
  if (!options.class_weights.empty())
    losses = multiply(losses, like(prediction, options.class_weights, {1, prediction.shape()[1]}));
  return {reshape(mean(losses, {1}), {losses.shape()[0]}), {}};
}

SampleLosses sample_losses(const LossOptions& options, const Tensor& pre_activation, ActivationFunction activation,
                           const Tensor& targets) {
  const bool is_softmax = activation == ActivationFunction::softmax;
  const bool is_sigmoid = activation == ActivationFunction::sigmoid;
  // What the loss sees: logits for the two functions that it contains itself, the function's values otherwise.
  const auto values = [&] { return apply_activation(activation, pre_activation); };
  switch (options.loss) {
    case Loss::cross_entropy:
      require(!is_sigmoid,
              "loss: cross-entropy compares a distribution over classes, and the last layer is a sigmoid; "
              "use softmax, or binary-cross-entropy");
      return cross_entropies(options, is_softmax ? pre_activation : values(), targets);
    case Loss::binary_cross_entropy:
      if (is_softmax) return element_losses(options, ElementLoss::binary_cross_entropy, values(), targets);
      return element_losses(options, ElementLoss::binary_cross_entropy_logits, is_sigmoid ? pre_activation : values(),
                            targets);
    case Loss::mse:
      return element_losses(options, ElementLoss::squared_error, values(), targets);
  }
  fail("loss: unknown");
}

}  // namespace

Tensor compute_loss(const LossOptions& options, const Tensor& pre_activation, ActivationFunction activation,
                    const Tensor& targets, const Tensor& sample_weights) {
  const Shape& output = pre_activation.shape();
  const bool hard = targets.dtype() == DType::i32;
  if (output.rank() != 2 || (hard ? targets.shape() != Shape{output[0]} : targets.shape() != output))
    fail("loss: the output is {} and the targets {}; expected (n, classes) and {}", output.to_string(),
         targets.shape().to_string(), hard ? "(n)" : "the same");
  require(options.class_weights.empty() || static_cast<int64_t>(options.class_weights.size()) == output[1],
          "loss: {} class weights for {} classes", options.class_weights.size(), output[1]);
  if (sample_weights.defined() && sample_weights.shape() != Shape{output[0]})
    fail("loss: sample weights are {}, expected ({})", sample_weights.shape().to_string(), output[0]);
  auto [losses, weights] = sample_losses(options, pre_activation, activation, targets);
  if (sample_weights.defined()) weights = weights.defined() ? multiply(weights, sample_weights) : sample_weights;
  if (weights.defined()) losses = multiply(losses, weights);
  if (options.reduction == LossReduction::sum) return sum(losses);
  if (options.reduction == LossReduction::mean || !weights.defined()) return mean(losses);
  return divide(sum(losses), sum(weights));
}

Tensor cross_entropy(const Tensor& logits, const Tensor& labels) {
  return compute_loss({}, logits, ActivationFunction::softmax, labels);
}

Tensor one_hot(const Tensor& labels, int64_t classes, DType dtype) {
  const Tensor host = labels.to(Device::cpu);
  std::vector<double> values(static_cast<std::size_t>(labels.numel() * classes));
  std::size_t row = 0;
  for (int32_t label : host.data<int32_t>()) {
    require(label >= 0 && label < classes, "one_hot: label {} of {} classes", label, classes);
    values[row++ * static_cast<std::size_t>(classes) + static_cast<std::size_t>(label)] = 1;
  }
  const Shape shape{labels.numel(), classes};
  if (dtype == DType::f64) return Tensor::from(values, shape, labels.device());
  return Tensor::from(std::vector<float>(values.begin(), values.end()), shape, labels.device());
}

}  // namespace melgrad
