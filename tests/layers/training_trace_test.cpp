// Twenty steps of training of a small gtzan-cnn, against what Keras and PyTorch did from the same weights and batches:
// losses to 1e-4 relative, final weights and running statistics to 1e-4 of each tensor's maximum.
// See tests/golden/make_training_trace.py.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/loss.h"
#include "layers/pooling.h"
#include "layers/reshape.h"
#include "layers/sequential.h"
#include "optim/adam.h"
#include "optim/sgd.h"
#include "tensor/io/safetensors.h"
#include "tests/layers/trace.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::as;
using test::batch;
using test::check_trace_tensor;
using test::values_of;

const BatchNormOptions keras_norm{};
const BatchNormOptions pytorch_norm{
    .epsilon = 1e-5, .momentum = Momentum::pytorch(0.1), .running_variance = RunningVariance::unbiased};

Sequential small_gtzan(const BatchNormOptions& norm) {
  constexpr auto relu = ActivationFunction::relu;
  constexpr auto same = Padding::same;
  Sequential network;
  network.add(Conv2D({.filters = 6, .kernel = 4, .activation = relu}))
      .add(MaxPool2D({.pool = 4, .stride = 2, .padding = same}))
      .add(BatchNorm(norm))
      .add(Conv2D({.filters = 5, .kernel = 3, .activation = relu}))
      .add(MaxPool2D({.pool = 3, .stride = 2, .padding = same}))
      .add(BatchNorm(norm))
      .add(Conv2D({.filters = 4, .kernel = 2, .activation = relu}))
      .add(MaxPool2D({.pool = 2, .stride = 2, .padding = same}))
      .add(BatchNorm(norm))
      .add(Flatten())
      .add(Dense({.units = 8, .activation = relu}))
      .add(Dropout({.rate = 0}))
      .add(Dense({.units = 10, .activation = ActivationFunction::softmax}));
  return network;
}

struct Trace {
  const char* name;
  BatchNormOptions norm;
  std::function<std::unique_ptr<Optimizer>(std::vector<Parameter>)> optimizer;
};

std::unique_ptr<Optimizer> adam(std::vector<Parameter> parameters, OptimizerVariant variant) {
  return std::make_unique<Adam>(std::move(parameters),
                                AdamOptions{.learning_rate = 5e-3, .epsilon = 1e-4, .variant = variant});
}

std::unique_ptr<Optimizer> sgd(std::vector<Parameter> parameters, OptimizerVariant variant) {
  return std::make_unique<Sgd>(std::move(parameters), SgdOptions{.learning_rate = 0.05,
                                                                 .momentum = 0.9,
                                                                 .nesterov = variant == OptimizerVariant::pytorch,
                                                                 .variant = variant});
}

const Trace traces[] = {
    {"keras_adam", keras_norm, [](auto p) { return adam(std::move(p), OptimizerVariant::keras); }},
    {"keras_sgd", keras_norm, [](auto p) { return sgd(std::move(p), OptimizerVariant::keras); }},
    {"pytorch_adam", pytorch_norm, [](auto p) { return adam(std::move(p), OptimizerVariant::pytorch); }},
    {"pytorch_sgd", pytorch_norm, [](auto p) { return sgd(std::move(p), OptimizerVariant::pytorch); }},
};

void check_trace(const Trace& trace, const std::map<std::string, Tensor>& golden, DType dtype, double tolerance,
                 Device device = Device::cpu) {
  const std::string prefix = std::string(trace.name) + "/";
  INFO(prefix, " in ", name_of(dtype), " on ", name_of(device));
  Sequential network = small_gtzan(trace.norm);
  network.build({34, 13, 1}, {.dtype = dtype, .device = device});
  std::map<std::string, Tensor> initial;
  for (const NamedTensor& named : network.state())
    initial[named.name] = as(dtype, golden.at("initial/" + named.name)).to(device);
  network.load(initial, "training_trace.safetensors");

  const std::unique_ptr<Optimizer> optimizer = trace.optimizer(as_parameters(network.parameters()));
  const std::vector<double> losses = values_of(golden.at(prefix + "losses"));
  const Tensor &x = golden.at("x"), &labels = golden.at("labels");
  for (std::size_t step = 0; step < losses.size(); ++step) {
    const int64_t index = static_cast<int64_t>(step) % x.shape()[0];
    const Tensor logits = network.pre_activation(as(dtype, batch<float>(x, index)).to(device),
                                                 {.training = true, .step = static_cast<uint32_t>(step)});
    const Tensor loss = cross_entropy(logits, batch<int32_t>(labels, index).to(device));
    optimizer->zero_grad();
    loss.backward();
    optimizer->step();
    if (!(std::abs(loss.item() - losses[step]) <= tolerance * losses[step])) {
      FAIL_CHECK("the loss of step " << step << " is " << loss.item() << ", expected " << losses[step]);
      return;
    }
  }
  CHECK(losses.size() == 20);
  for (const NamedTensor& named : network.state())
    check_trace_tensor(named.name, named.tensor.to(Device::cpu), golden.at(prefix + "final/" + named.name), tolerance);
}

TEST_CASE("training follows Keras and PyTorch step by step") {
  const TensorFile file = load_safetensors(std::filesystem::path(MELGRAD_TEST_DATA) / "training_trace.safetensors");
  for (const Trace& trace : traces) {
    check_trace(trace, file.tensors, DType::f32, 1e-4);
    // Adam turns the rounding of a gradient near zero into a step, and the CUDA kernels round otherwise.
    check_trace(trace, file.tensors, DType::f32, 2e-4, Device::simt);
    // Keras computes its batch norm in float32 whatever it is given.
    check_trace(trace, file.tensors, DType::f64, trace.name[0] == 'k' ? 1e-5 : 1e-9);
  }
}

TEST_CASE("the traces tell the frameworks apart") {
  const TensorFile file = load_safetensors(std::filesystem::path(MELGRAD_TEST_DATA) / "training_trace.safetensors");
  const auto differ = [&](const std::string& name, double by) {
    const auto a = values_of(file.tensors.at("keras_adam/" + name));
    const auto b = values_of(file.tensors.at("pytorch_adam/" + name));
    return !test::all_close(a, b, by);
  };
  CHECK(differ("losses", 1e-3));
  CHECK(differ("final/conv2d_1.weight", 1e-3));
  CHECK(differ("final/batch_norm_3.running_variance", 1e-3));
}

}  // namespace
}  // namespace melgrad
