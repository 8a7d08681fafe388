#include "bench/models/model_work.h"

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv1d.h"
#include "layers/layer_watch.h"
#include "layers/loss.h"
#include "layers/pooling.h"
#include "layers/step_cost.h"
#include "models/registry.h"
#include "optim/sgd.h"
#include "tensor/autograd.h"

namespace melgrad::bench {
namespace {

constexpr const char* first_block = "samplecnn-block1";

Sequential make_network(const std::string& model, bool dropout, DType dtype) {
  Sequential network;
  if (model == first_block) {
    network.add(Conv1D({.filters = 128, .kernel = 3, .padding = Padding::same}))
        .add(BatchNorm())
        .add(ActivationLayer({.function = ActivationFunction::relu}))
        .add(MaxPool1D({.pool = 3}));
    network.build({59049, 1}, {.seed = 1, .dtype = dtype});
    return network;
  }
  const ModelDescription& description = find_model(model);
  std::map<std::string, double> options;
  for (const ModelOption& option : description.options)
    if (!dropout && option.name.ends_with("dropout")) options[option.name] = 0;
  network = make_model(model, description.classes, options);
  network.build(description.input, {.seed = 1, .dtype = dtype});
  return network;
}

Tensor as_dtype(const std::vector<float>& values, const Shape& shape, DType dtype) {
  if (dtype == DType::f32) return Tensor::from(values, shape);
  return Tensor::from(std::vector<double>(values.begin(), values.end()), shape);
}

// Labels for a softmax; for sigmoids a tenth of the tags.
Tensor make_targets(const Sequential& network, int64_t batch, DType dtype, Generator& random) {
  const int64_t classes = network.output_shape().numel();
  if (network.activation() == ActivationFunction::softmax) {
    std::vector<int32_t> labels(static_cast<std::size_t>(batch));
    for (int32_t& label : labels) label = static_cast<int32_t>(random.below(static_cast<uint32_t>(classes)));
    return Tensor::from(labels, {batch});
  }
  std::vector<float> tags(static_cast<std::size_t>(batch * classes));
  for (float& tag : tags) tag = random.uniform() < 0.1f ? 1.0f : 0.0f;
  return as_dtype(tags, {batch, classes}, dtype);
}

}  // namespace

ModelWork::ModelWork(const std::string& model, int64_t batch, bool dropout, DType dtype)
    : network_(make_network(model, dropout, dtype)) {
  require(batch >= 1, "bench: a batch of {}", batch);
  Generator random(1, Draw::test);
  const Shape shape = network_.input_shape().with_batch(batch);
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  for (float& value : values) value = static_cast<float>(random.normal());
  inputs_ = as_dtype(values, shape, dtype);
  if (model != first_block) targets_ = make_targets(network_, batch, dtype, random);
  // The rate is so small that thousands of timed steps leave the weights sane.
  optimizer_ = std::make_unique<Sgd>(
      as_parameters(network_.parameters()),
      SgdOptions{.learning_rate = 1e-6, .momentum = 0.9, .nesterov = true, .variant = OptimizerVariant::pytorch});
}

Tensor ModelWork::forward_in_training() {
  return network_.pre_activation(inputs_, {.training = true, .seed = 1, .step = step_++, .fuse = true});
}

Tensor ModelWork::loss_of(const Tensor& output) const {
  require(targets_.defined(), "bench: a block alone has no loss");
  const bool labels = targets_.dtype() == DType::i32;
  return compute_loss({.loss = labels ? Loss::cross_entropy : Loss::binary_cross_entropy}, output,
                      network_.activation(), targets_);
}

double ModelWork::train_pass() {
  const Tensor loss = loss_of(forward_in_training());
  const double value = loss.item();
  optimizer_->zero_grad();
  loss.backward();
  return value;
}

Tensor ModelWork::infer() {
  const NoGrad no_grad;
  return network_.forward(inputs_, {.fuse = true});
}

void ModelWork::run(ModelPass pass) {
  switch (pass) {
    case ModelPass::train:
      train_pass();
      return optimizer_->step();
    case ModelPass::train_forward:
      forward_in_training();
      return;
    case ModelPass::infer:
      infer();
      return;
  }
}

// From the blocks that the pass runs as one: one pass says which.
Cost ModelWork::cost(ModelPass pass) {
  const std::span<const Sequential::Entry> layers(network_.layers());
  const bool backward = pass == ModelPass::train;
  Cost cost;
  bool gradient_wanted = false;  // of the input of the layers that come next
  const auto add_layers = [&](const Sequential& network, std::size_t first, std::size_t count) {
    if (&network != &network_) return;  // within one of our layers
    const auto block = layers.subspan(first, count);
    cost = cost + forward_cost(block, batch());
    if (backward) cost = cost + backward_cost(block, batch(), gradient_wanted);
    for (const Sequential::Entry& entry : block) gradient_wanted = gradient_wanted || has_parameters(*entry.layer);
  };
  const LayerWatch watch(add_layers, [](const Sequential&, std::size_t, std::size_t) {});
  run(pass == ModelPass::infer ? pass : ModelPass::train_forward);
  return cost;
}

}  // namespace melgrad::bench
