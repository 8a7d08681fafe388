// Fused blocks against the same layers one by one: outputs, gradients, running statistics, and a training as a whole.
#include "layers/fusion.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "kernels/memory.h"

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv1d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/pooling.h"
#include "layers/reshape.h"
#include "tensor/autograd.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::values_of;

// The same numbers in f32 and f64.
Tensor drawn(const Shape& shape, uint32_t id, DType dtype) {
  const std::vector<double> values = values_of(test::uniform_tensor(shape, id));
  std::vector<float> rounded(values.begin(), values.end());
  if (dtype == DType::f32) return Tensor::from(rounded, shape);
  return Tensor::from(std::vector<double>(rounded.begin(), rounded.end()), shape);
}

void add_signal_blocks(Sequential& network, std::initializer_list<int64_t> filters) {
  for (int64_t count : filters)
    network.add(Conv1D({.filters = count, .kernel = 3, .padding = Padding::same}))
        .add(BatchNorm())
        .add(ActivationLayer({.function = ActivationFunction::relu}))
        .add(MaxPool1D({.pool = 3}));
}

// The first block, then norm_pool: too few channels for more.
Sequential small_sample_cnn() {
  Sequential network;
  add_signal_blocks(network, {5, 18});
  network.add(Flatten()).add(Dense({.units = 2}));
  return network;
}

// The first block, then a row of blocks whose norms stay pending, one without a bias, and a layer that needs them applied.
Sequential sample_cnn() {
  Sequential network;
  add_signal_blocks(network, {16, 18, 33});
  network.add(Conv1D({.filters = 16, .kernel = 1, .bias = false}))
      .add(BatchNorm())
      .add(ActivationLayer({.function = ActivationFunction::relu}))
      .add(Flatten())
      .add(Dense({.units = 2}));
  return network;
}

void add_image_block(Sequential& network, int64_t filters, Pair pool) {
  network.add(Conv2D({.filters = filters, .kernel = 3, .padding = Padding::same}))
      .add(BatchNorm())
      .add(ActivationLayer({.function = ActivationFunction::elu}))
      .add(MaxPool2D({.pool = pool}));
}

Sequential choi() {
  Sequential network;
  add_image_block(network, 16, {2, 3});
  add_image_block(network, 17, {2, 2});
  network.add(Flatten()).add(Dense({.units = 2}));
  return network;
}

// The strided first layer, no pool behind it.
Sequential strided() {
  Sequential network;
  network.add(Conv1D({.filters = 16, .kernel = 3, .stride = 3}))
      .add(BatchNorm())
      .add(ActivationLayer({.function = ActivationFunction::leaky_relu, .alpha = 0.1}));
  add_signal_blocks(network, {16});
  network.add(Flatten()).add(Dense({.units = 2}));
  return network;
}

// Without a batch norm before the pool: pools that overlap, and that do not.
Sequential gtzan() {
  Sequential network;
  network.add(Conv2D({.filters = 5, .kernel = 4, .activation = ActivationFunction::relu}))
      .add(MaxPool2D({.pool = 4, .stride = 2, .padding = Padding::same}))
      .add(BatchNorm())
      .add(Conv2D({.filters = 17, .kernel = {3, 2}, .bias = false}))
      .add(ActivationLayer({.function = ActivationFunction::leaky_relu, .alpha = 0.1}))
      .add(MaxPool2D({.pool = 2, .stride = 1, .padding = Padding::same}))
      .add(BatchNorm())
      .add(Flatten())
      .add(Dense({.units = 2}));
  return network;
}

Sequential key() {
  Sequential network;
  network.add(Conv2D({.filters = 18, .kernel = 2, .padding = Padding::same, .activation = ActivationFunction::elu}))
      .add(MaxPool2D({.pool = 2}))
      .add(Conv2D({.filters = 3, .kernel = 2, .bias = false}))
      .add(Flatten({.keep = 1}))
      .add(Dense({.units = 5, .activation = ActivationFunction::elu}))
      .add(Flatten())
      .add(Dense({.units = 4}))
      .add(ActivationLayer({.function = ActivationFunction::relu}))
      .add(Dense({.units = 2}));
  return network;
}

// Few channels behind one another, signals, and in inference Winograd's tiles.
Sequential taggers() {
  Sequential network;
  network.add(Conv1D({.filters = 8, .kernel = 5, .padding = Padding::same, .activation = ActivationFunction::elu}))
      .add(Conv1D({.filters = 18, .kernel = 4, .activation = ActivationFunction::relu}))
      .add(MaxPool1D({.pool = 3}))
      .add(Conv1D({.filters = 16, .kernel = 3, .padding = Padding::same, .activation = ActivationFunction::relu}))
      .add(MaxPool1D({.pool = 2}))
      .add(Flatten())
      .add(Dense({.units = 2}));
  return network;
}

Sequential small_choi() {
  Sequential network;
  network.add(Conv2D({.filters = 4, .kernel = 3, .padding = Padding::same}))
      .add(BatchNorm())
      .add(ActivationLayer({.function = ActivationFunction::relu}))
      .add(MaxPool2D({.pool = {2, 3}}))
      .add(Conv2D({.filters = 3, .kernel = 2, .bias = false}))
      .add(BatchNorm())
      .add(MaxPool2D({.pool = 2}))
      .add(Flatten())
      .add(Dense({.units = 2}));
  return network;
}

// Random gamma of both signs and beta, so that the minimum is taken too.
void unsettle(Sequential& network) {
  uint32_t stream = 50;
  for (NamedTensor& named : network.state())
    if (named.name.ends_with("gamma") || named.name.ends_with("beta") || named.name.ends_with("bias"))
      copy(drawn(named.tensor.shape(), stream++, named.tensor.dtype()).view(), named.tensor.mutable_view());
}

struct Result {
  std::vector<double> output, inference;
  std::map<std::string, std::vector<double>> gradients, state;
};

// A pass of training, then one of inference by the statistics that it has moved.
Result run(Sequential (*make)(), const Tensor& input, bool fuse) {
  Tensor x = input.clone();
  x.set_requires_grad();
  Sequential network = make();
  network.build(x.shape().without_batch(), {.seed = 3, .dtype = x.dtype()});
  unsettle(network);
  const Tensor y = network.forward(x, {.training = true, .fuse = fuse});
  backward(y, drawn(y.shape(), 11, x.dtype()));
  Result result{values_of(y), {}, {}, {}};
  for (const NamedTensor& named : network.state()) {
    result.state[named.name] = values_of(named.tensor);
    if (named.trainable) result.gradients[named.name] = values_of(named.tensor.grad());
  }
  result.gradients["input"] = values_of(x.grad());
  const NoGrad no_grad;
  result.inference = values_of(network.forward(x, {.fuse = fuse}));
  return result;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = 0, scale = 1e-6;
  for (std::size_t i = 0; i < a.size(); ++i) {
    worst = std::max(worst, std::abs(a[i] - b[i]));
    scale = std::max(scale, std::abs(b[i]));
  }
  return a.size() == b.size() ? worst / scale : 1e9;
}

struct Case {
  Sequential (*make)();
  Shape input;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> all{{small_sample_cnn, {40, 1}}, {sample_cnn, {90, 1}},     {choi, {13, 25, 1}},
                                     {strided, {61, 1}},          {small_choi, {13, 17, 2}}, {gtzan, {11, 9, 1}},
                                     {key, {12, 10, 1}},          {taggers, {61, 2}}};
  return all;
}

void check_agreement(const Case& c, const Tensor& x, double bound, bool with_gradients = true) {
  const Result fused = run(c.make, x, true), single = run(c.make, x, false);
  CHECK(distance(fused.output, single.output) < bound);
  CHECK(distance(fused.inference, single.inference) < bound);
  for (const auto& [name, values] : fused.state) {
    CAPTURE(name);
    CHECK(distance(values, single.state.at(name)) < bound);
  }
  for (const auto& [name, values] : fused.gradients) {
    if (!with_gradients) break;
    CAPTURE(name);
    // Under a batch norm a bias has gradient 0, and the layers one by one the noise around it.
    const bool zero = std::all_of(values.begin(), values.end(), [](double value) { return value == 0; });
    if (!(name.starts_with("conv") && name.ends_with("bias") && zero))
      CHECK(distance(values, single.gradients.at(name)) < bound);
  }
}

TEST_CASE("fused blocks agree with their layers one by one") {
  for (const Case& c : cases())
    for (DType dtype : {DType::f64, DType::f32})
      check_agreement(c, drawn(c.input.with_batch(4), 9, dtype), dtype == DType::f64 ? 1e-11 : 2e-4);
}

// Far from zero rounding takes digits from both ways, in f64 few. Where all is equal or nearly so, gradients are noise
// around 0 and winners a matter of rounding; tests/kernels/conv_block_test.cpp and first_block_test.cpp hold them to the rule.
TEST_CASE("fused blocks agree with their layers far from zero, on denormals and on an input without variance") {
  for (const Case& c : cases()) {
    Tensor far = drawn(c.input.with_batch(4), 9, DType::f64), tiny = far.clone(), flat = far.clone();
    for (double& value : far.mutable_data<double>()) value = 1e3 + value;
    for (double& value : tiny.mutable_data<double>()) value = static_cast<float>(value * 1e-40);
    for (double& value : flat.mutable_data<double>()) value = 0;
    check_agreement(c, far, 1e-8);
    check_agreement(c, tiny, 1e-11, false);
    check_agreement(c, flat, 1e-11, false);
    const auto single = [](const Tensor& x) {
      const std::vector<double> values = values_of(x);
      return Tensor::from(std::vector<float>(values.begin(), values.end()), x.shape());
    };
    check_agreement(c, single(tiny), 2e-4, false);
    check_agreement(c, single(flat), 2e-4, false);
  }
}

Sequential block_alone() {
  Sequential network;
  network.add(Conv2D({.filters = 7, .kernel = 3}))
      .add(BatchNorm())
      .add(ActivationLayer({.function = ActivationFunction::relu}))
      .add(MaxPool2D());
  return network;
}

TEST_CASE("a network may end with a fused block") {
  Sequential fused = block_alone(), single = block_alone();
  fused.build({9, 8, 2}, {.seed = 3});
  single.build({9, 8, 2}, {.seed = 3});
  const Tensor x = drawn({2, 9, 8, 2}, 1, DType::f32);
  REQUIRE(find_block(fused.layers(), 0, x, {.training = true, .fuse = true}));
  const Tensor a = fused.pre_activation(x, {.training = true, .fuse = true});
  const Tensor b = single.pre_activation(x, {.training = true, .fuse = false});
  REQUIRE(a.shape() == b.shape());
  CHECK(distance(values_of(a), values_of(b)) < 1e-5);
}

TEST_CASE("which layers are a block") {
  Sequential network = small_choi();
  network.build({13, 17, 2});
  const Tensor x = drawn({2, 13, 17, 2}, 1, DType::f32);
  const Pass training{.training = true, .fuse = true};
  const auto block = find_block(network.layers(), 0, x, training);
  REQUIRE(block);
  CHECK(block->layers == 4);
  CHECK(block->activation.function == Activation::relu);
  CHECK(find_block(network.layers(), 0, x.to(Device::simt), training)->kind == BlockKind::conv);
  CHECK(find_block(network.layers(), 4, x, training)->layers == 3);
  CHECK(find_block(network.layers(), 4, x, training)->activation.function == Activation::linear);
  CHECK_FALSE(find_block(network.layers(), 1, x, training));
  CHECK_FALSE(find_block(network.layers(), 0, x, {.training = true, .fuse = false}));
  CHECK_FALSE(find_block(network.layers(), 0, x, {}));
  CHECK_FALSE(find_block(network.layers(), 0, x, {.fuse = true}));  // inference with gradients

  CHECK_FALSE(find_block(network.layers(), 0, drawn({0, 13, 17, 2}, 1, DType::f32), training));
  CHECK_FALSE(find_block(network.layers(), 0, x, {.training = false, .fuse = true}));

  const auto refused = [&](Sequential layers) {
    layers.build({13, 17, 2});
    CHECK_FALSE(find_block(layers.layers(), 0, x, training));
  };
  Sequential alone, last, decreasing, strided_alone, first_axis;
  refused(std::move(alone.add(Conv2D({.filters = 2}))));
  // The end of a network is given before its activation.
  refused(std::move(last.add(Conv2D({.filters = 2, .activation = ActivationFunction::relu}))));
  refused(
      std::move(decreasing.add(Conv2D({.filters = 2, .activation = ActivationFunction::softmax})).add(MaxPool2D())));
  refused(std::move(strided_alone.add(Conv2D({.filters = 2, .stride = 2})).add(MaxPool2D())));
  refused(std::move(first_axis.add(Conv2D({.filters = 2})).add(BatchNorm({}, 1)).add(MaxPool2D())));

  Sequential overlapping;
  overlapping.add(Conv2D({.filters = 2})).add(BatchNorm()).add(MaxPool2D({.pool = 3, .stride = 2}));
  overlapping.build({13, 17, 2});
  CHECK_FALSE(find_block(overlapping.layers(), 0, x, training));
  Sequential active;
  active.add(Conv2D({.filters = 2, .activation = ActivationFunction::relu})).add(BatchNorm()).add(MaxPool2D());
  active.build({13, 17, 2});
  CHECK(find_block(active.layers(), 0, x, training)->layers == 1);  // the convolution and its activation
  CHECK(find_block(active.layers(), 0, x, training)->kind == BlockKind::plain);
  CHECK_FALSE(find_block(active.layers(), 0, x.to(Device::simt), training));
  Sequential bare;
  bare.add(Conv2D({.filters = 2})).add(MaxPool2D({.pool = 3, .stride = 2}));
  bare.build({13, 17, 2});
  CHECK(find_block(bare.layers(), 0, x, training)->layers == 2);
}

TEST_CASE("which operation runs a block") {
  Sequential network = sample_cnn();
  network.build({90, 1});
  const Pass training{.training = true, .fuse = true}, inference{.fuse = true};
  const Tensor x = drawn({2, 90, 1}, 1, DType::f32), y = drawn({2, 30, 16}, 1, DType::f32);
  // The first block is computed by the second as it reads it, unless that is no block of many channels.
  const auto both = find_block(network.layers(), 0, x, training);
  CHECK(both->kind == BlockKind::conv);
  REQUIRE(both->first);
  CHECK(both->first->kind == BlockKind::first);
  CHECK(both->layers == 8);
  CHECK_FALSE(find_block(network.layers(), 4, y, training)->first);
  Sequential small = small_sample_cnn(), image = choi();
  small.build({40, 1});
  image.build({13, 25, 1});
  CHECK(find_block(small.layers(), 0, drawn({2, 40, 1}, 1, DType::f32), training)->kind == BlockKind::first);
  CHECK(find_block(image.layers(), 0, drawn({2, 13, 25, 1}, 1, DType::f32), training)->kind == BlockKind::first);
  CHECK(find_block(network.layers(), 4, y, training)->kind == BlockKind::conv);
  CHECK_FALSE(find_block(network.layers(), 12, drawn({2, 3, 33}, 1, DType::f32), training));  // one tap, no pool
  Tensor wanted = x.clone();
  wanted.set_requires_grad();
  CHECK(find_block(network.layers(), 0, wanted, training)->kind == BlockKind::conv);
  const NoGrad no_grad;
  CHECK(find_block(network.layers(), 0, x, inference)->layers == 8);
  CHECK(find_block(network.layers(), 4, y, inference)->kind == BlockKind::conv);

  Sequential chosen;
  chosen.add(Conv1D({.filters = 16, .kernel = 3, .padding = Padding::same, .algorithm = ConvAlgorithm::direct}))
      .add(BatchNorm())
      .add(MaxPool1D({.pool = 3}));
  chosen.build({30, 16});
  CHECK(find_block(chosen.layers(), 0, y, training)->kind == BlockKind::norm_pool);
  // The end of a network is asked for before its activation.
  Sequential bare;
  bare.add(Conv1D({.filters = 16, .kernel = 3, .padding = Padding::same}))
      .add(BatchNorm())
      .add(ActivationLayer({.function = ActivationFunction::elu}));
  bare.build({30, 16});
  CHECK_FALSE(find_block(bare.layers(), 0, y, inference));
  Sequential first = gtzan(), second = key();
  first.build({11, 9, 1});
  second.build({12, 10, 1});
  CHECK(find_block(first.layers(), 0, drawn({1, 11, 9, 1}, 1, DType::f32), training)->layers == 2);
  CHECK(find_block(first.layers(), 3, drawn({1, 4, 3, 5}, 1, DType::f32), training)->layers == 3);
  CHECK(find_block(second.layers(), 0, drawn({1, 12, 10, 1}, 1, DType::f32), training)->layers == 2);
  CHECK_FALSE(find_block(second.layers(), 2, drawn({1, 6, 5, 18}, 1, DType::f32), training));
  // Dense layers and their activations; not the last, nor one without.
  CHECK(find_block(second.layers(), 4, drawn({2, 5, 12}, 1, DType::f32), training)->layers == 1);
  CHECK(find_block(second.layers(), 6, drawn({2, 25}, 1, DType::f32), training)->layers == 2);
  CHECK_FALSE(find_block(second.layers(), 8, drawn({2, 4}, 1, DType::f32), training));
  Sequential tags = taggers();
  tags.build({61, 2});
  const Tensor wide = drawn({2, 19, 18}, 1, DType::f32);
  CHECK(find_block(tags.layers(), 3, wide, inference)->kind == BlockKind::plain);
}

// Inference keeps what it has made of the weights; each of them may change between two calls.
TEST_CASE("fused inference sees every write to a block's layers, and another length") {
  for (Sequential (*make)() : {sample_cnn, choi}) {
    const Shape input = make == sample_cnn ? Shape{90, 1} : Shape{13, 25, 1};
    Sequential network = make();
    network.build(input, {.seed = 3});
    const Tensor x = drawn(input.with_batch(2), 1, DType::f32);
    const NoGrad no_grad;
    const auto fused = [&] { return values_of(network.forward(x, {.fuse = true})); };
    std::vector<double> before = fused();
    uint32_t stream = 70;
    for (NamedTensor& named : network.state()) {
      CAPTURE(named.name);
      Tensor values = drawn(named.tensor.shape(), stream++, DType::f32);
      for (float& value : values.mutable_data<float>()) value = 0.5f + 0.1f * value;
      copy(values.view(), named.tensor.mutable_view());
      const std::vector<double> after = fused();
      CHECK(distance(after, before) > 1e-6);
      CHECK(distance(after, values_of(network.forward(x))) < 2e-4);
      before = after;
    }
    network.forward(x, {.training = true, .fuse = true});  // moves the running statistics
    CHECK(distance(fused(), before) > 1e-6);
    CHECK(distance(fused(), values_of(network.forward(x))) < 2e-4);
  }
}

}  // namespace
}  // namespace melgrad
