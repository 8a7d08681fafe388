// Layer by layer: shapes, options, modes, and numbers by Keras and PyTorch (tests/golden/make_layer_goldens.py).
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/loss.h"
#include "layers/pooling.h"
#include "tensor/io/safetensors.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::all_close;
using test::uniform_tensor;
using test::values_of;
using Values = std::vector<double>;

const std::map<std::string, Tensor>& golden() {
  static const TensorFile file = load_safetensors(std::filesystem::path(MELGRAD_TEST_DATA) / "layers.safetensors");
  return file.tensors;
}

// The f64 values of element `index` along the first axis.
Tensor sample(const Tensor& batch, int64_t index) {
  const Shape shape = batch.shape().without_batch();
  const auto values = batch.data<double>().subspan(static_cast<std::size_t>(index * shape.numel()));
  return Tensor::from(values.first(static_cast<std::size_t>(shape.numel())), shape);
}

Shape build(Layer& layer, const Shape& input, uint64_t seed = 0) {
  BuildContext context({.seed = seed, .dtype = DType::f64});
  return layer.build(input, context);
}

void set(const Layer& layer, const std::string& name, const Tensor& values) {
  for (NamedTensor& named : layer.state()) {
    if (named.name != name) continue;
    REQUIRE(named.tensor.shape() == values.shape());
    std::copy_n(values.data<double>().begin(), values.numel(), named.tensor.mutable_data<double>().begin());
    return;
  }
  FAIL("no " << name);
}

TEST_CASE("batch norm: training, inference and running statistics are Keras's and PyTorch's") {
  const struct {
    std::string framework;
    double tolerance;  // Keras computes its batch norm in float32 whatever it is given
    BatchNormOptions options;
  } cases[] = {
      {"keras", 1e-6, {.momentum = Momentum::keras(0.9)}},
      {"pytorch",
       1e-12,
       {.epsilon = 1e-5, .momentum = Momentum::pytorch(0.2), .running_variance = RunningVariance::unbiased}},
  };
  for (const auto& c : cases) {
    INFO(c.framework);
    BatchNorm layer(c.options);
    CHECK(build(layer, {5, 4, 3}) == Shape{5, 4, 3});
    set(layer, "gamma", golden().at("gamma"));
    set(layer, "beta", golden().at("beta"));
    const auto expected = [&](const char* name) { return values_of(golden().at(c.framework + "/" + name)); };
    const Tensor first = sample(golden().at("x"), 0), second = sample(golden().at("x"), 1);
    CHECK(all_close(values_of(layer.forward(first, {.training = true})), expected("first"), c.tolerance));
    CHECK(all_close(values_of(layer.forward(second, {.training = true})), expected("second"), c.tolerance));
    for (int i = 0; i < 2; ++i)  // an inference leaves the statistics alone
      CHECK(all_close(values_of(layer.forward(first)), expected("infer"), c.tolerance));
    CHECK(all_close(values_of(layer.state()[2].tensor), expected("running_mean"), c.tolerance));
    CHECK(all_close(values_of(layer.state()[3].tensor), expected("running_variance"), c.tolerance));
    CHECK_FALSE(all_close(expected("first"), expected("infer"), 1e-2));
  }
  const BatchNormOptions defaults;  // Keras's
  CHECK(defaults.epsilon == 1e-3);
  CHECK(defaults.momentum.keep == 0.99);
  CHECK(defaults.running_variance == RunningVariance::biased);
}

TEST_CASE("batch norm starts as the identity, and refuses impossible options") {
  BatchNorm layer({.epsilon = 1e-9});
  build(layer, {2});
  const Tensor x = uniform_tensor({4, 2}, 1);
  CHECK(all_close(values_of(layer.forward(x)), values_of(x), 1e-8));
  for (const BatchNormOptions& options :
       {BatchNormOptions{.epsilon = 0}, BatchNormOptions{.momentum = {1.5}}, BatchNormOptions{.momentum = {-0.1}},
        BatchNormOptions{.epsilon = std::nan("")}, BatchNormOptions{.momentum = {std::nan("")}}}) {
    BatchNorm bad(options);
    CHECK_THROWS_AS(build(bad, {2}), Error);
  }
  BatchNorm scalar;
  CHECK_THROWS_AS(build(scalar, {}), Error);
}

TEST_CASE("convolution and pooling with Keras's `same`, asymmetric where the padding is odd") {
  const Tensor image = golden().at("image");
  const struct {
    std::string name;
    Pair kernel, stride;
    Shape output;
  } cases[] = {
      {"3_1", 3, 1, {9, 6}}, {"4_1", 4, 1, {9, 6}}, {"3_2", 3, 2, {5, 3}},
      {"4_3", 4, 3, {3, 2}}, {"2_2", 2, 2, {5, 3}}, {"2x5_1x2", {2, 5}, {1, 2}, {9, 3}},
  };
  for (const auto& c : cases) {
    INFO(c.name);
    Conv2D conv({.filters = 4,
                 .kernel = c.kernel,
                 .stride = c.stride,
                 .padding = Padding::same,
                 .activation = ActivationFunction::relu});
    CHECK(build(conv, {9, 6, 3}) == Shape{c.output[0], c.output[1], 4});
    set(conv, "weight", golden().at("conv_" + c.name + "/weight"));
    set(conv, "bias", golden().at("conv_" + c.name + "/bias"));
    CHECK(all_close(values_of(conv.forward(image)), values_of(golden().at("conv_" + c.name)), 1e-12));
    MaxPool2D pool({.pool = c.kernel, .stride = c.stride, .padding = Padding::same});
    CHECK(build(pool, {9, 6, 3}) == Shape{c.output[0], c.output[1], 3});
    CHECK(values_of(pool.forward(image)) == values_of(golden().at("pool_" + c.name)));
  }
}

TEST_CASE("shapes of valid windows, strides and dilations") {
  const struct {
    Conv2DOptions options;
    Shape output;
  } cases[] = {
      {{.filters = 2}, {8, 5, 2}},
      {{.filters = 2, .kernel = {1, 4}}, {10, 4, 2}},
      {{.filters = 2, .stride = {3, 2}}, {3, 3, 2}},
      {{.filters = 2, .dilation = {4, 3}}, {2, 1, 2}},
      {{.filters = 2, .padding = Padding::same, .dilation = 2}, {10, 7, 2}},
  };
  for (const auto& c : cases) {
    Conv2D conv(c.options);
    CHECK(build(conv, {10, 7, 3}) == c.output);
    CHECK(conv.forward(uniform_tensor({2, 10, 7, 3}, 1)).shape() == c.output.with_batch(2));
  }
  MaxPool2D by_size({.pool = {3, 2}}), by_one({.pool = {3, 2}, .stride = 1});
  CHECK(build(by_size, {10, 7, 3}) == Shape{3, 3, 3});
  CHECK(build(by_one, {10, 7, 3}) == Shape{8, 6, 3});
}

TEST_CASE("layers refuse impossible options") {
  Conv2D no_filters({.filters = 0}), no_kernel({.filters = 1, .kernel = 0}), no_stride({.filters = 1, .stride = 0});
  Conv2D flat({.filters = 1});
  for (Conv2D* conv : {&no_filters, &no_kernel, &no_stride}) CHECK_THROWS_AS(build(*conv, {9, 9, 1}), Error);
  CHECK_THROWS_AS(build(flat, {9}), Error);
  MaxPool2D pool({.pool = 10}), negative({.pool = 2, .stride = -1});
  CHECK_THROWS_AS(build(pool, {9, 9, 1}), Error);
  CHECK_THROWS_AS(build(negative, {9, 9, 1}), Error);
  CHECK_THROWS_AS(build(pool, {9, 9}), Error);
  Dense no_units({.units = 0});
  CHECK_THROWS_AS(build(no_units, {4}), Error);
  for (double rate : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
    Dropout dropout({.rate = rate});
    CHECK_THROWS_AS(build(dropout, {4}), Error);
  }
}

TEST_CASE("layers without a bias") {
  Conv2D conv({.filters = 2, .bias = false});
  build(conv, {4, 4, 1});
  CHECK(conv.state().size() == 1);
  CHECK(values_of(conv.forward(Tensor::zeros({1, 4, 4, 1}, DType::f64))) == Values(8, 0.0));
  Dense dense({.units = 2, .bias = false});
  build(dense, {3});
  CHECK(dense.state().size() == 1);
  CHECK(values_of(dense.forward(Tensor::zeros({1, 3}, DType::f64))) == Values(2, 0.0));
}

TEST_CASE("dropout: the mask depends on seed, layer and step, and on nothing else") {
  Dropout first({.rate = 0.5}), second({.rate = 0.5});
  BuildContext context({.dtype = DType::f64});
  first.build({1000}, context);
  second.build({1000}, context);
  const Tensor x = Tensor::full({2, 1000}, 1, DType::f64);
  const Values mask = values_of(first.forward(x, {.training = true, .seed = 1, .step = 1}));
  CHECK(mask == values_of(first.forward(x, {.training = true, .seed = 1, .step = 1})));
  CHECK(mask != values_of(first.forward(x, {.training = true, .seed = 2, .step = 1})));
  CHECK(mask != values_of(first.forward(x, {.training = true, .seed = 1, .step = 2})));
  CHECK(mask != values_of(second.forward(x, {.training = true, .seed = 1, .step = 1})));
  CHECK(Values(mask.begin(), mask.begin() + 1000) != Values(mask.begin() + 1000, mask.end()));  // nor one a sample
  // Independent, not shifted or inverted: about half of the places agree.
  const Values other = values_of(first.forward(x, {.training = true, .seed = 1, .step = 2}));
  int same = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) same += mask[i] == other[i];
  CHECK(std::abs(same - 1000) < 120);
  // The same mask in f32.
  const Values single = values_of(first.forward(Tensor::full({2, 1000}, 1), {.training = true, .seed = 1, .step = 1}));
  CHECK(single == mask);
  // Nothing in inference, nothing at rate 0.
  CHECK(first.forward(x).same_as(x));
  Dropout none({.rate = 0});
  build(none, {4});
  CHECK(none.forward(x, {.training = true}).same_as(x));
}

TEST_CASE("channel dropout and noise: in training alone, of seed, layer and step") {
  const Tensor x = uniform_tensor({2, 3, 5}, 1);
  BuildContext context({.dtype = DType::f64});
  ChannelDropout first({.rate = 0.4}), dropped({.rate = 0.4});
  GaussianNoise noise({.deviation = 1}), silent({.deviation = 0});
  for (Layer* layer : std::initializer_list<Layer*>{&first, &dropped, &noise, &silent}) layer->build({3, 5}, context);
  const Pass training{.training = true, .seed = 9, .step = 4};
  CHECK(values_of(dropped.pre_activation(x, training)) ==
        values_of(channel_dropout(x, 0.4, Philox{9, Draw::dropout, 1, 4})));
  CHECK(values_of(noise.pre_activation(x, training)) == values_of(gaussian_noise(x, 1, Philox{9, Draw::noise, 2, 4})));
  CHECK(values_of(noise.pre_activation(x, training)) != values_of(x));
  CHECK(values_of(silent.pre_activation(x, training)) == values_of(x));
  for (Layer* layer : std::initializer_list<Layer*>{&dropped, &noise})
    CHECK(values_of(layer->pre_activation(x, {.seed = 9, .step = 4})) == values_of(x));
}

TEST_CASE("the cross-entropy loss is the mean over samples") {
  const Tensor logits = Tensor::from(Values{0, std::log(3.0), 0, 0}, {2, 2});
  const Tensor labels = Tensor::from(std::vector<int32_t>{1, 0}, {2});
  const double expected = (-std::log(0.75) - std::log(0.5)) / 2;
  CHECK(all_close({cross_entropy(logits, labels).item()}, {expected}, 1e-12));
  CHECK(compute_loss({}, logits, ActivationFunction::softmax, labels).item() == cross_entropy(logits, labels).item());
  CHECK(cross_entropy(logits, labels).shape() == Shape{});
  CHECK_THROWS_AS(cross_entropy(logits, Tensor::zeros({3}, DType::i32)), Error);
}

}  // namespace
}  // namespace melgrad
