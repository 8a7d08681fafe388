// Fused blocks against the same layers one by one: outputs, gradients, running statistics, and a training as a whole.
#include "layers/fusion.h"

#include <doctest/doctest.h>

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

Sequential small_sample_cnn() {
  Sequential network;
  for (int64_t filters : {5, 18})
    network.add(Conv1D({.filters = filters, .kernel = 3, .padding = Padding::same}))
        .add(BatchNorm())
        .add(ActivationLayer({.function = ActivationFunction::relu}))
        .add(MaxPool1D({.pool = 3}));
  network.add(Flatten()).add(Dense({.units = 2}));
  return network;
}

Sequential small_choi() {
  Sequential network;
  network.add(Conv2D({.filters = 7, .kernel = 3, .padding = Padding::same}))
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
  std::vector<double> output;
  std::map<std::string, std::vector<double>> gradients, state;
};

Result run(Sequential (*make)(), const Shape& input, DType dtype, bool fuse) {
  Sequential network = make();
  network.build(input, {.seed = 3, .dtype = dtype});
  unsettle(network);
  const Tensor x = drawn(input.with_batch(4), 9, dtype);
  const Tensor y = network.forward(x, {.training = true, .fuse = fuse});
  backward(y, drawn(y.shape(), 11, dtype));
  Result result{values_of(y), {}, {}};
  for (const NamedTensor& named : network.state()) {
    result.state[named.name] = values_of(named.tensor);
    if (named.trainable) result.gradients[named.name] = values_of(named.tensor.grad());
  }
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

TEST_CASE("fused blocks agree with their layers one by one") {
  struct Case {
    Sequential (*make)();
    Shape input;
  };
  for (const Case& c : {Case{small_sample_cnn, {40, 1}}, Case{small_choi, {13, 17, 2}}})
    for (DType dtype : {DType::f64, DType::f32}) {
      const double bound = dtype == DType::f64 ? 1e-11 : 2e-4;
      const Result fused = run(c.make, c.input, dtype, true), single = run(c.make, c.input, dtype, false);
      CHECK(distance(fused.output, single.output) < bound);
      for (const auto& [name, values] : fused.state) {
        CAPTURE(name);
        CHECK(distance(values, single.state.at(name)) < bound);
      }
      for (const auto& [name, values] : fused.gradients) {
        CAPTURE(name);
        if (name.starts_with("conv") && name.ends_with("bias"))
          for (double value : values) CHECK(value == 0);
        else
          CHECK(distance(values, single.gradients.at(name)) < bound);
      }
    }
}

TEST_CASE("which layers are a block") {
  Sequential network = small_choi();
  network.build({13, 17, 2});
  const Tensor x = drawn({2, 13, 17, 2}, 1, DType::f32);
  const Pass training{.training = true, .fuse = true};
  const auto block = find_block(network.layers(), 0, x, training);
  REQUIRE(block);
  CHECK(block->layers == 4);
  CHECK(block->relu);
  CHECK(find_block(network.layers(), 0, x.to(Device::simt), training));
  CHECK(find_block(network.layers(), 4, x, training)->layers == 3);
  CHECK_FALSE(find_block(network.layers(), 4, x, training)->relu);
  CHECK_FALSE(find_block(network.layers(), 1, x, training));
  CHECK_FALSE(find_block(network.layers(), 0, x, {.training = true, .fuse = false}));
  CHECK_FALSE(find_block(network.layers(), 0, x, {}));

  Sequential overlapping;
  overlapping.add(Conv2D({.filters = 2})).add(BatchNorm()).add(MaxPool2D({.pool = 3, .stride = 2}));
  overlapping.build({13, 17, 2});
  CHECK_FALSE(find_block(overlapping.layers(), 0, x, training));
  Sequential active;
  active.add(Conv2D({.filters = 2, .activation = ActivationFunction::relu})).add(BatchNorm()).add(MaxPool2D());
  active.build({13, 17, 2});
  CHECK_FALSE(find_block(active.layers(), 0, x, training));
}

}  // namespace
}  // namespace melgrad
