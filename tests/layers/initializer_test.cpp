#include "layers/initializer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "layers/conv1d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/gru.h"
#include "layers/reshape.h"
#include "layers/sequential.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::all_close;
using test::values_of;

struct Moments {
  double mean = 0, deviation = 0, largest = 0;
};

Moments moments(const std::vector<double>& values) {
  Moments result;
  for (double value : values) result.mean += value / static_cast<double>(values.size());
  for (double value : values) {
    result.deviation += (value - result.mean) * (value - result.mean) / static_cast<double>(values.size());
    result.largest = std::max(result.largest, std::abs(value));
  }
  result.deviation = std::sqrt(result.deviation);
  return result;
}

TEST_CASE("initialisers: mean, deviation and limits") {
  constexpr double in = 300, out = 200;
  const struct {
    Initializer initializer;
    double deviation;
    bool uniform;
  } cases[] = {
      {Initializer::glorot_uniform, std::sqrt(2 / (in + out)), true},
      {Initializer::glorot_normal, std::sqrt(2 / (in + out)), false},
      {Initializer::he_uniform, std::sqrt(2 / in), true},
      {Initializer::he_normal, std::sqrt(2 / in), false},
      {Initializer::lecun_uniform, std::sqrt(1 / in), true},
      {Initializer::lecun_normal, std::sqrt(1 / in), false},
  };
  for (const auto& c : cases) {
    INFO(name_of(c.initializer));
    const Tensor weight = initialize(c.initializer, {300, 200}, {.in = 300, .out = 200}, Generator(1, Draw::weights, 0),
                                     DType::f64, Device::cpu);
    CHECK(weight.requires_grad());
    const Moments m = moments(values_of(weight));
    CHECK(std::abs(m.mean) < 4 * c.deviation / std::sqrt(in * out));
    CHECK(std::abs(m.deviation / c.deviation - 1) < 0.01);
    const double limit = std::sqrt(3.0) * c.deviation;
    if (c.uniform) {
      CHECK(m.largest <= limit);
      CHECK(m.largest > 0.999 * limit);
    } else {
      CHECK(m.largest > 3.5 * c.deviation);
      CHECK(m.largest < 6 * c.deviation);
    }
  }
}

TEST_CASE("layers count their connections as Keras does") {
  Sequential network;
  network.add(Conv2D({.filters = 64, .kernel = {3, 5}, .initializer = Initializer::he_uniform}))
      .add(Conv2D({.filters = 32, .kernel = 3}))
      .add(Flatten())
      .add(Dense({.units = 100}));
  network.build({20, 20, 16}, {.seed = 2, .dtype = DType::f64});
  const auto values = network.values();
  const auto largest = [&](const std::string& name) { return moments(values_of(values.at(name))).largest; };
  const double limits[] = {std::sqrt(6.0 / (15 * 16)), std::sqrt(6.0 / (9 * 64 + 9 * 32)),
                           std::sqrt(6.0 / (16 * 14 * 32 + 100))};
  const char* names[] = {"conv2d_1.weight", "conv2d_2.weight", "dense_1.weight"};
  for (int i = 0; i < 3; ++i) {
    INFO(names[i]);
    CHECK(largest(names[i]) <= limits[i]);
    CHECK(largest(names[i]) > 0.99 * limits[i]);
  }
  CHECK(largest("conv2d_1.bias") == 0);
}

TEST_CASE("fans: the connections of one unit, through its own group alone") {
  const auto fans = [](const Shape& weight) { return std::pair(fans_of(weight).in, fans_of(weight).out); };
  CHECK(fans({7, 5}) == std::pair<int64_t, int64_t>(7, 5));              // dense; a GRU's kernel with 3·units
  CHECK(fans({3, 16, 32}) == std::pair<int64_t, int64_t>(48, 96));       // conv1d
  CHECK(fans({3, 5, 16, 32}) == std::pair<int64_t, int64_t>(240, 480));  // conv2d
  CHECK(fans({3, 5, 1, 32}) == std::pair<int64_t, int64_t>(15, 480));    // depthwise: one channel a group
  CHECK_THROWS_AS(fans_of({5}), Error);
  Sequential network;
  network.add(Conv1D({.filters = 40, .kernel = 9, .groups = 4, .initializer = Initializer::lecun_uniform}))
      .add(Gru(
          {.units = 30, .initializer = Initializer::he_uniform, .recurrent_initializer = Initializer::lecun_uniform}));
  network.build({20, 16}, {.seed = 2, .dtype = DType::f64});
  const std::pair<const char*, double> limits[] = {{"conv1d_1.weight", std::sqrt(3.0 / (9 * 4))},
                                                   {"gru_1.kernel", std::sqrt(6.0 / 40)},
                                                   {"gru_1.recurrent_kernel", std::sqrt(3.0 / 30)}};
  for (const auto& [name, limit] : limits) {
    INFO(name);
    const double largest = moments(values_of(network.values().at(name))).largest;
    CHECK(largest <= limit);
    CHECK(largest > 0.99 * limit);
  }
}

TEST_CASE("orthogonal: rows or columns, whichever are fewer, are orthonormal") {
  for (const Shape& shape : {Shape{5, 5}, Shape{4, 12}, Shape{3, 2, 4}, Shape{3, 1, 7}, Shape{1, 1}}) {
    INFO(shape.to_string());
    const std::vector<double> w = values_of(initialize(Initializer::orthogonal, shape, fans_of(shape),
                                                       Generator(1, Draw::weights, 0), DType::f64, Device::cpu));
    const int64_t columns = shape[-1], rows = shape.numel() / columns, vectors = std::min(rows, columns);
    const auto at = [&](int64_t vector, int64_t k) {
      return w[static_cast<std::size_t>(columns <= rows ? k * columns + vector : vector * columns + k)];
    };
    for (int64_t i = 0; i < vectors; ++i)
      for (int64_t j = 0; j < vectors; ++j) {
        double dot = 0;
        for (int64_t k = 0; k < std::max(rows, columns); ++k) dot += at(i, k) * at(j, k);
        CHECK(std::abs(dot - (i == j ? 1 : 0)) < 1e-14);
      }
  }
}

Sequential chain(int layers) {
  Sequential network;
  for (int i = 0; i < layers; ++i) network.add(Dense({.units = 6}));
  return network;
}

TEST_CASE("weights follow from the seed and the layer's place") {
  const auto weights = [](Sequential network, const BuildOptions& options) {
    network.build({6}, options);
    return network.values();
  };
  const auto two = weights(chain(2), {.seed = 1}), three = weights(chain(3), {.seed = 1});
  const auto other = weights(chain(2), {.seed = 2});
  const auto twice = weights(chain(2), {.seed = 1, .dtype = DType::f64});
  for (const char* name : {"dense_1.weight", "dense_2.weight"}) {
    CHECK(values_of(two.at(name)) == values_of(weights(chain(2), {.seed = 1}).at(name)));  // again
    CHECK(values_of(two.at(name)) == values_of(three.at(name)));                           // whatever comes after
    CHECK(values_of(two.at(name)) != values_of(other.at(name)));
    CHECK(values_of(two.at(name)) != values_of(twice.at(name)));  // rounded
    CHECK(all_close(values_of(two.at(name)), values_of(twice.at(name)), 1e-7));
  }
  CHECK(values_of(two.at("dense_1.weight")) != values_of(two.at("dense_2.weight")));
  // Seeds beyond 32 bits differ too.
  CHECK(values_of(two.at("dense_1.weight")) !=
        values_of(weights(chain(2), {.seed = 1 + (uint64_t{1} << 32)}).at("dense_1.weight")));
}

TEST_CASE("building again gives the same network anew") {
  Sequential network = chain(2);
  network.build({6}, {.seed = 5});
  const auto first = network.values();
  network.build({6}, {.seed = 5});
  CHECK(values_of(network.values().at("dense_2.weight")) == values_of(first.at("dense_2.weight")));
  CHECK_FALSE(network.values().at("dense_2.weight").same_as(first.at("dense_2.weight")));
}

TEST_CASE("constants") {
  CHECK(values_of(constant_parameter(0.25, {2}, true, DType::f32, Device::cpu)) == std::vector<double>{0.25, 0.25});
  CHECK(constant_parameter(1, {2}, true, DType::f64, Device::cpu).requires_grad());
  CHECK_FALSE(constant_parameter(1, {2}, false, DType::f64, Device::cpu).requires_grad());
}

}  // namespace
}  // namespace melgrad
