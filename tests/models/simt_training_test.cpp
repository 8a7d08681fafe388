// Networks trained by the CUDA kernels, on simt, beside the CPU: 20 steps on the same batches, with the same dropout masks.
// The one on simt goes its own way and must learn the task; the CPU's takes over its weights before each step, and the
// gradients of both must agree within what f32 rounds. Neighbouring layers are fused, as the trainer asks.
//
// Networks whose pools leave something of a small input are the published ones; the others are their layers in the same
// order, narrow and with small pools.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>

#include "kernels/philox.h"
#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv1d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/gru.h"
#include "layers/loss.h"
#include "layers/pooling.h"
#include "layers/reshape.h"
#include "layers/zero_padding.h"
#include "models/registry.h"
#include "optim/adam.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::values_of;

constexpr int64_t classes = 3, samples = 4;
constexpr int steps = 20;

struct SmallNetwork {
  const char* name;
  Shape input;
  double learning_rate;
  std::function<Sequential()> make;
};

std::function<Sequential()> model(const std::string& name, const std::map<std::string, double>& options = {}) {
  return [=] { return make_model(name, classes, options); };
}

void add_block(Sequential& network, int64_t filters, ActivationFunction activation, Pair pool) {
  network.add(Conv2D({.filters = filters, .kernel = 3, .padding = Padding::same}))
      .add(BatchNorm())
      .add(ActivationLayer({.function = activation}))
      .add(MaxPool2D({.pool = pool}));
}

// The layers of choi-crnn.
Sequential narrow_crnn() {
  Sequential network;
  network.add(Permute({.order = {2, 1, 3}}))
      .add(ZeroPadding2D({.padding = {{0, 0}, {1, 2}}}))
      .add(BatchNorm({}, /*axis=*/2));
  for (int64_t pool : {2, 3}) {
    add_block(network, 6, ActivationFunction::elu, pool);
    network.add(Dropout({.rate = 0.1}));
  }
  const auto gru = [](bool return_sequences) {
    return Gru({.units = 7,
                .return_sequences = return_sequences,
                .reset_after = false,
                .recurrent_activation = Activation::hard_sigmoid_keras1});
  };
  network.add(Reshape({.shape = {-1, 12}})).add(gru(true)).add(gru(false)).add(Dropout({.rate = 0.1}));
  network.add(Dense({.units = classes}));
  return network;
}

// Of choi-fcn3, 4 and 5, which differ in their sizes.
Sequential narrow_choi_fcn() {
  Sequential network;
  network.add(Permute({.order = {2, 1, 3}})).add(BatchNorm({}, /*axis=*/2));
  for (const Pair& pool : {Pair{2, 3}, Pair{2, 2}, Pair{3, 2}}) add_block(network, 6, ActivationFunction::elu, pool);
  network.add(Flatten()).add(Dense({.units = classes}));
  return network;
}

// Of fma-cnn: its blocks are fused.
Sequential narrow_fma_cnn() {
  Sequential network;
  network.add(Permute({.order = {2, 1, 3}}));
  for (const Pair& pool : {Pair{2, 4}, Pair{2, 2}}) add_block(network, 8, ActivationFunction::relu, pool);
  network.add(GlobalAveragePool()).add(Dropout({.rate = 0.3})).add(Dense({.units = classes}));
  return network;
}

// Of mtat-cnn, mtat-cnn2 and mtat-cnn3, which differ in their sizes.
Sequential narrow_mtat_cnn() {
  Sequential network;
  for (const Pair& pool : {Pair{4, 2}, Pair{2, 2}, Pair{1, 1}}) {
    network.add(Conv2D({.filters = 8, .kernel = 3, .padding = Padding::same, .activation = ActivationFunction::relu}));
    if (pool != Pair(1)) network.add(MaxPool2D({.pool = pool}));
  }
  network.add(Flatten()).add(Dense({.units = classes}));
  return network;
}

// Of samplecnn: fused blocks on raw samples.
Sequential narrow_sample_cnn() {
  Sequential network;
  for (int64_t filters : {8, 8, 12}) {
    network.add(Conv1D({.filters = filters, .kernel = 3, .padding = Padding::same}))
        .add(BatchNorm())
        .add(ActivationLayer({.function = ActivationFunction::relu}))
        .add(MaxPool1D({.pool = 3}));
  }
  network.add(Conv1D({.filters = 16, .kernel = 1}))
      .add(BatchNorm())
      .add(ActivationLayer({.function = ActivationFunction::relu}))
      .add(Dropout({.rate = 0.5}))
      .add(Flatten())
      .add(Dense({.units = classes}));
  return network;
}

// A sample of class k is noise around a wave of k + 1 periods: a few steps tell the classes apart.
Tensor draw_inputs(const Shape& shape, const std::vector<int32_t>& labels) {
  Generator random(3, Draw::test);
  const Shape all = shape.with_batch(samples);
  std::vector<float> values;
  for (int32_t label : labels)
    for (int64_t i = 0; i < shape.numel(); ++i) {
      const double phase = 6.283 * (label + 1) * static_cast<double>(i) / static_cast<double>(shape.numel());
      values.push_back(static_cast<float>(std::sin(phase) + 0.3 * random.normal()));
    }
  return Tensor::from(values, all);
}

class Training {
 public:
  Training(const SmallNetwork& small, Device device) : device_(device), network_(small.make()) {
    network_.build(small.input, {.seed = 5, .device = device});
    optimizer_ =
        std::make_unique<Adam>(as_parameters(network_.parameters()), AdamOptions{.learning_rate = small.learning_rate});
  }

  // Weights and running statistics of another training.
  void follow(const Training& leader) {
    std::map<std::string, Tensor> state;
    for (const NamedTensor& named : leader.network_.state()) state[named.name] = named.tensor.to(device_);
    network_.load(state, "the leader");
  }
  // The loss; the parameters keep their gradients.
  double gradients(const Tensor& inputs, const Tensor& labels, int number) {
    const Pass options{.training = true, .step = static_cast<uint32_t>(number), .fuse = true};
    const Tensor loss = cross_entropy(network_.pre_activation(inputs.to(device_), options), labels.to(device_));
    optimizer_->zero_grad();
    loss.backward();
    return loss.item();
  }
  void update() { optimizer_->step(); }
  std::vector<NamedTensor> parameters() const { return network_.parameters(); }

 private:
  Device device_;
  Sequential network_;
  std::unique_ptr<Optimizer> optimizer_;
};

double largest_of(const std::vector<double>& values) {
  double largest = 0;
  for (double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

// The largest difference of two trainings' gradients, as part of the tensor's largest; or of a hundredth of the
// network's, since a gradient that exact arithmetic makes zero (a bias that a batch norm takes out again) is noise.
double worst_difference(const Training& a, const Training& b) {
  const std::vector<NamedTensor> of_a = a.parameters(), of_b = b.parameters();
  REQUIRE(of_a.size() == of_b.size());
  double network = 0, worst = 0;
  for (const NamedTensor& named : of_b) network = std::max(network, largest_of(values_of(named.tensor.grad())));
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    const std::vector<double> x = values_of(of_a[i].tensor.grad().to(Device::cpu)),
                              y = values_of(of_b[i].tensor.grad());
    const double scale = std::max(largest_of(y), 0.01 * network);
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double off = std::abs(x[j] - y[j]) / scale;
      if (!(off <= worst)) worst = std::isnan(off) ? INFINITY : off;
    }
  }
  return worst;
}

void check_network(const SmallNetwork& small) {
  const std::string name = small.name;
  INFO(name);
  const std::vector<int32_t> labels{0, 1, 2, 1};
  const Tensor inputs = draw_inputs(small.input, labels), targets = Tensor::from(labels, {samples});
  Training simt(small, Device::simt), cpu(small, Device::cpu);
  double first = 0, last = 0, worst = 0;
  for (int step = 0; step < steps; ++step) {
    if (step > 0) cpu.follow(simt);  // both start with the same weights by themselves
    last = simt.gradients(inputs, targets, step);
    const double expected = cpu.gradients(inputs, targets, step);
    CHECK(std::abs(last - expected) <= 1e-5 * (1 + expected));
    worst = std::max(worst, worst_difference(simt, cpu));
    simt.update();
    if (step == 0) first = last;
  }
  MESSAGE(name << ": loss " << first << " to " << last << "; gradients differ by " << worst << " at most");
  CHECK(worst <= 1e-4);
  CHECK(last < 0.7 * first);
}

TEST_CASE("networks train on simt as on the CPU") {
  const SmallNetwork networks[] = {
      {"gtzan-cnn", {34, 13, 1}, 2e-3, model("gtzan-cnn")},
      {"key-cnn", {12, 10, 1}, 2e-3, model("key-cnn")},
      {"key-kw17", {9, 8, 1}, 1e-3, model("key-kw17")},
      {"sample-mn", {32, 1}, 1e-4, model("sample-mn", {{"base", 2}, {"depth", 2}})},
      {"samplecnn, narrow", {81, 1}, 1e-2, narrow_sample_cnn},
      {"choi-crnn, narrow", {13, 12, 1}, 1e-2, narrow_crnn},
      {"choi-fcn, narrow", {13, 12, 1}, 1e-2, narrow_choi_fcn},
      {"fma-cnn, narrow", {19, 12, 1}, 2e-2, narrow_fma_cnn},
      {"mtat-cnn, narrow", {17, 8, 1}, 1e-2, narrow_mtat_cnn},
  };
  for (const SmallNetwork& small : networks) check_network(small);
}

}  // namespace
}  // namespace melgrad
