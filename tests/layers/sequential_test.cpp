// A network as a whole: names, shapes, counts, weights in and out, nesting, gradients.
#include "layers/sequential.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/loss.h"
#include "layers/pooling.h"
#include "layers/reshape.h"
#include "tensor/autograd.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::uniform_tensor;
using test::values_of;

constexpr auto relu = ActivationFunction::relu;

// The GTZAN network, layer by layer.
Sequential gtzan_network() {
  constexpr auto same = Padding::same;
  Sequential network;
  network.add(Conv2D({.filters = 48, .kernel = 4, .activation = relu}))
      .add(MaxPool2D({.pool = 4, .stride = 2, .padding = same}))
      .add(BatchNorm())
      .add(Conv2D({.filters = 32, .kernel = 3, .activation = relu}))
      .add(MaxPool2D({.pool = 3, .stride = 2, .padding = same}))
      .add(BatchNorm())
      .add(Conv2D({.filters = 16, .kernel = 2, .activation = relu}))
      .add(MaxPool2D({.pool = 2, .stride = 2, .padding = same}))
      .add(BatchNorm())
      .add(Flatten())
      .add(Dense({.units = 32, .activation = relu}))
      .add(Dropout({.rate = 0.3}))
      .add(Dense({.units = 10, .activation = ActivationFunction::softmax}));
  return network;
}

// One of each layer, small enough for finite differences.
Sequential small_network() {
  Sequential network;
  network.add(Conv2D({.filters = 2, .kernel = {3, 2}, .padding = Padding::same, .activation = relu}))
      .add(MaxPool2D({.pool = 2, .padding = Padding::same}))
      .add(BatchNorm())
      .add(Flatten())
      .add(Dropout({.rate = 0.25}))
      .add(Dense({.units = 3}));
  return network;
}

TEST_CASE("the GTZAN network: shapes, names and counts") {
  Sequential network = gtzan_network();
  CHECK(network.build({130, 13, 1}) == Shape{10});
  CHECK(network.parameter_count() == 25'162);
  CHECK(network.trainable_count() == 24'970);
  const std::pair<const char*, Shape> expected[] = {
      {"conv2d_1", {127, 10, 48}},
      {"max_pool2d_1", {64, 5, 48}},
      {"batch_norm_1", {64, 5, 48}},
      {"conv2d_2", {62, 3, 32}},
      {"max_pool2d_2", {31, 2, 32}},
      {"batch_norm_2", {31, 2, 32}},
      {"conv2d_3", {30, 1, 16}},
      {"max_pool2d_3", {15, 1, 16}},
      {"batch_norm_3", {15, 1, 16}},
      {"flatten_1", {240}},
      {"dense_1", {32}},
      {"dropout_1", {32}},
      {"dense_2", {10}},
  };
  REQUIRE(network.layers().size() == std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    CHECK(network.layers()[i].name == expected[i].first);
    CHECK(network.layers()[i].output == expected[i].second);
  }
  std::vector<std::string> names;
  for (const NamedTensor& named : network.state()) names.push_back(named.name);
  CHECK(names.size() == 22);
  CHECK(std::vector<std::string>(names.begin(), names.begin() + 6) ==
        std::vector<std::string>{"conv2d_1.weight", "conv2d_1.bias", "batch_norm_1.gamma", "batch_norm_1.beta",
                                 "batch_norm_1.running_mean", "batch_norm_1.running_variance"});
  CHECK(names.back() == "dense_2.bias");
  for (const NamedTensor& named : network.state()) {
    CHECK(named.tensor.requires_grad() == named.trainable);
    CHECK(named.trainable == (named.name.find("running_") == std::string::npos));
  }
  CHECK(network.parameters().size() == 16);
  CHECK(network.values().at("conv2d_2.weight").shape() == Shape{3, 3, 48, 32});
  CHECK(network.values().at("dense_1.weight").shape() == Shape{240, 32});
  // By hand: two flops a tap and output of convolution and dense, one a tap of pooling, two an element of batch norm.
  const int64_t convolutions = 2 * (127 * 10 * 48 * 16 + 62 * 3 * 32 * 9 * 48 + 30 * 1 * 16 * 4 * 32);
  const int64_t pools = 64 * 5 * 48 * 16 + 31 * 2 * 32 * 9 + 15 * 1 * 16 * 4;
  const int64_t norms = 2 * (64 * 5 * 48 + 31 * 2 * 32 + 15 * 16);
  CHECK(network.flops({130, 13, 1}) == convolutions + pools + norms + 2 * (240 * 32 + 32 * 10));
}

TEST_CASE("a network's output is a distribution, and its pre-activation the logits") {
  Sequential network = gtzan_network();
  network.build({130, 13, 1}, {.seed = 4});
  const Tensor x = Tensor::from(std::vector<float>(2 * 130 * 13, 0.5f), {2, 130, 13, 1});
  const Tensor logits = network.pre_activation(x), probabilities = network.forward(x);
  CHECK(probabilities.shape() == Shape{2, 10});
  CHECK(values_of(softmax(logits)) == values_of(probabilities));
  CHECK(values_of(logits) != values_of(probabilities));
  CHECK(network.activation() == ActivationFunction::softmax);
}

TEST_CASE("names are given or <type>_<n>") {
  Sequential network;
  network.add(Dense({.units = 2}))
      .add(Dense({.units = 2}), "middle")
      .add(ActivationLayer({.function = relu}))
      .add(Dense({.units = 2}));
  CHECK(network.layers()[0].name == "dense_1");
  CHECK(network.layers()[1].name == "middle");
  CHECK(network.layers()[2].name == "activation_1");
  CHECK(network.layers()[3].name == "dense_3");
  CHECK_THROWS_WITH_AS(network.add(Dense({.units = 2}), "middle"), "sequential: two layers named 'middle'", Error);
  network.build({2}, {.dtype = DType::f64});
  // The activation of its own does what one within a layer does.
  network.load({{"dense_1.weight", Tensor::from(std::vector<double>{1, 0, 0, 1}, {2, 2})},
                {"dense_1.bias", Tensor::zeros({2}, DType::f64)},
                {"middle.weight", Tensor::from(std::vector<double>{1, 0, 0, -1}, {2, 2})},
                {"middle.bias", Tensor::zeros({2}, DType::f64)},
                {"dense_3.weight", Tensor::from(std::vector<double>{1, 0, 0, 1}, {2, 2})},
                {"dense_3.bias", Tensor::from(std::vector<double>{0.5, 0}, {2})}},
               "test");
  CHECK(values_of(network.forward(Tensor::from(std::vector<double>{3, 4}, {1, 2}))) == std::vector<double>{3.5, 0});
}

TEST_CASE("building and running refuse what does not fit, and name the layer") {
  Sequential network;
  CHECK_THROWS_WITH_AS(network.build({4}), "sequential: no layers", Error);
  CHECK_THROWS_WITH_AS(network.forward(Tensor::zeros({1, 4})), "sequential: build() it before use", Error);
  network.add(Conv2D({.filters = 2, .kernel = 5}));
  CHECK_THROWS_WITH_AS(network.forward(Tensor::zeros({1, 4, 4, 1})), "sequential: build() it before use", Error);
  CHECK_THROWS_WITH_AS(network.build({4, 4, 1}),
                       "layer 'conv2d_1': conv2d: height of 4 is shorter than the window of 5", Error);
  CHECK_THROWS_WITH_AS(network.build({4}),
                       "layer 'conv2d_1': conv2d: the input is (4), expected (height, width, channels)", Error);
  network.add(Dense({.units = 0}));
  CHECK_THROWS_WITH_AS(network.build({8, 8, 1}), "layer 'dense_1': dense: 0 units, expected at least 1", Error);
  Sequential dense;
  dense.add(Dense({.units = 2})).build({3});
  CHECK_THROWS_WITH_AS(dense.forward(Tensor::zeros({1, 4})), "network: the input is (1, 4), expected a batch of (3)",
                       Error);
  CHECK_THROWS_AS(dense.forward(Tensor::zeros({})), Error);
  CHECK_THROWS_AS(dense.forward(Tensor::zeros({1, 3}, DType::f64)), Error);
}

TEST_CASE("load takes all tensors by name or none") {
  Sequential network = small_network(), other = small_network();
  network.build({5, 4, 1}, {.seed = 1});
  other.build({5, 4, 1}, {.seed = 2});
  const auto before = values_of(network.values().at("conv2d_1.weight"));
  CHECK(before != values_of(other.values().at("conv2d_1.weight")));

  auto values = other.values();
  values.erase("dense_1.bias");
  CHECK_THROWS_WITH_AS(network.load(values, "some.safetensors"),
                       "some.safetensors: no tensor 'dense_1.bias', which the network has", Error);
  values["dense_1.bias"] = Tensor::zeros({4});
  CHECK_THROWS_WITH_AS(network.load(values, "some.safetensors"),
                       "some.safetensors: tensor 'dense_1.bias' is f32 (4), the network's is f32 (3)", Error);
  values["dense_1.bias"] = Tensor::zeros({3}, DType::f64);
  CHECK_THROWS_WITH_AS(network.load(values, "some.safetensors"),
                       "some.safetensors: tensor 'dense_1.bias' is f64 (3), the network's is f32 (3)", Error);
  CHECK(values_of(network.values().at("conv2d_1.weight")) == before);

  values = other.values();
  values["of another part"] = Tensor::zeros({1});
  network.load(values, "test");
  for (const auto& [name, tensor] : network.values()) {
    CHECK(values_of(tensor) == values_of(other.values().at(name)));
    CHECK_FALSE(tensor.same_as(other.values().at(name)));  // copies
  }
  const Tensor x = Tensor::full({2, 5, 4, 1}, 0.3);
  CHECK(values_of(network.forward(x)) == values_of(other.forward(x)));
}

TEST_CASE("networks nest") {
  const auto block = [](int64_t filters) {
    Sequential inner;
    inner.add(Conv2D({.filters = filters, .kernel = 2})).add(BatchNorm());
    inner.add(ActivationLayer({.function = relu}));
    return inner;
  };
  Sequential nested, flat;
  nested.add(block(3)).add(block(2)).add(Flatten()).add(Dense({.units = 2, .activation = ActivationFunction::softmax}));
  for (int64_t filters : {3, 2}) {
    flat.add(Conv2D({.filters = filters, .kernel = 2})).add(BatchNorm());
    flat.add(ActivationLayer({.function = relu}));
  }
  flat.add(Flatten()).add(Dense({.units = 2, .activation = ActivationFunction::softmax}));
  const BuildOptions options{.seed = 3, .dtype = DType::f64};
  CHECK(nested.build({6, 5, 1}, options) == flat.build({6, 5, 1}, options));
  CHECK(nested.parameter_count() == flat.parameter_count());
  CHECK(nested.flops({6, 5, 1}) == flat.flops({6, 5, 1}));
  CHECK(nested.state()[0].name == "sequential_1.conv2d_1.weight");
  CHECK(nested.state()[6].name == "sequential_2.conv2d_1.weight");
  const Tensor x = uniform_tensor({4, 6, 5, 1}, 1);
  CHECK(values_of(nested.forward(x, {.training = true})) == values_of(flat.forward(x, {.training = true})));
  CHECK(values_of(nested.forward(x)) == values_of(flat.forward(x)));
  // A network that ends in a network has its activation.
  Sequential outer;
  outer.add(std::move(nested));
  CHECK(outer.activation() == ActivationFunction::softmax);
}

// The slope of `loss` along each element of `tensor`, which it reads.
std::vector<double> slopes(Tensor tensor, const std::function<double()>& loss) {
  constexpr double step = 1e-5;
  std::vector<double> result;
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    const double before = tensor.data<double>()[i];
    tensor.mutable_data<double>()[i] = before + step;
    const double above = loss();
    tensor.mutable_data<double>()[i] = before - step;
    const double below = loss();
    tensor.mutable_data<double>()[i] = before;
    result.push_back((above - below) / (2 * step));
  }
  return result;
}

TEST_CASE("gradients of a whole network: every parameter and the input, in training and in inference") {
  for (bool training : {true, false}) {
    Sequential network = small_network();
    network.build({5, 4, 1}, {.seed = 6, .dtype = DType::f64});
    uint32_t id = 10;
    for (NamedTensor& named : network.state()) {  // no zeros and ones, which would hide terms
      if (named.name.ends_with("weight")) continue;
      const bool positive = named.name.ends_with("gamma") || named.name.ends_with("variance");
      const Tensor values = uniform_tensor(named.tensor.shape(), id++, positive ? 0.2 : -0.9, 0.9);
      std::copy_n(values.data<double>().begin(), values.numel(), named.tensor.mutable_data<double>().begin());
    }
    Tensor x = uniform_tensor({3, 5, 4, 1}, 1);
    x.set_requires_grad();
    const Tensor labels = Tensor::from(std::vector<int32_t>{2, 0, 1}, {3});
    const auto loss = [&] {
      return cross_entropy(network.pre_activation(x, {.training = training, .seed = 1, .step = 2}), labels);
    };
    loss().backward();
    std::vector<NamedTensor> tensors = network.parameters();
    tensors.push_back({"x", x});
    CHECK(tensors.size() == 7);
    for (const NamedTensor& named : tensors) {
      INFO(named.name, " in training: ", training);
      const auto expected = slopes(named.tensor, [&] {
        const NoGrad off;
        return loss().item();
      });
      CHECK(test::all_close(values_of(named.tensor.grad()), expected, 1e-7));
      CHECK(std::any_of(expected.begin(), expected.end(), [](double slope) { return std::abs(slope) > 1e-3; }));
    }
  }
}

TEST_CASE("f32 and f64 networks agree") {
  Sequential single = gtzan_network(), twice = gtzan_network();
  single.build({130, 13, 1}, {.seed = 9});
  twice.build({130, 13, 1}, {.seed = 9, .dtype = DType::f64});
  const Tensor x = uniform_tensor({4, 130, 13, 1}, 1, -2, 2);
  const std::vector<double> numbers = values_of(x);
  const Tensor x32 = Tensor::from(std::vector<float>(numbers.begin(), numbers.end()), x.shape());
  for (bool training : {true, false}) {
    const Pass pass{.training = training, .seed = 3, .step = 5};
    CHECK(test::all_close(values_of(single.pre_activation(x32, pass)), values_of(twice.pre_activation(x, pass)), 1e-5));
  }
  for (const auto& [name, tensor] : single.values()) {  // running statistics too
    INFO(name);
    CHECK(test::all_close(values_of(tensor), values_of(twice.values().at(name)), 1e-5));
  }
}

}  // namespace
}  // namespace melgrad
