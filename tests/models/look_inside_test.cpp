// Filters by frequency, and where a network looks.
#include "models/look_inside.h"

#include <doctest/doctest.h>

#include "kernels/error.h"
#include "layers/conv1d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/pooling.h"
#include "layers/reshape.h"

namespace melgrad::test {
namespace {

void set(const Sequential& network, const std::string& name, const std::vector<float>& values) {
  Tensor tensor = network.values().at(name);
  REQUIRE(tensor.numel() == static_cast<int64_t>(values.size()));
  std::copy(values.begin(), values.end(), tensor.mutable_data<float>().begin());
}

TEST_CASE("filters are sorted from low to high, each with a largest response of 1") {
  Sequential network;
  network.add(Conv1D({.filters = 3, .kernel = 3})).add(Flatten()).add(Dense({.units = 2}));
  network.build({9, 1});
  // (tap, 1, filter): a difference (high), a mean (low), a zero at a quarter of the rate that passes both ends.
  set(network, "conv1d_1.weight", {0.5f, 2, 1, -1, 4, 0, 0.5f, 2, 1});
  const FilterResponses responses = first_filter_responses(network, 5);
  CHECK(responses.filters == 3);
  REQUIRE(responses.values.size() == 15);
  const auto row = [&](std::size_t i) {
    return std::vector<float>(&responses.values[i * 5], &responses.values[i * 5] + 5);
  };
  CHECK(row(0)[0] == doctest::Approx(1));  // the mean: 8, … 0
  CHECK(row(0)[2] == doctest::Approx(0.5));
  CHECK(row(0)[4] == doctest::Approx(0).epsilon(1e-6));
  CHECK(row(1)[2] == doctest::Approx(0).epsilon(1e-6));
  CHECK(row(1)[0] == doctest::Approx(1));
  CHECK(row(2)[0] == doctest::Approx(0).epsilon(1e-6));
  CHECK(row(2)[4] == doctest::Approx(1));
  Sequential other;
  other.add(Flatten()).add(Dense({.units = 2}));
  other.build({9, 1});
  CHECK_THROWS_WITH_AS(first_filter_responses(other, 5), doctest::Contains("conv1d"), Error);
}

// One channel passes the input through; class 1 counts its mean, class 0 the negative of it.
Sequential mean_network(bool turned) {
  Sequential network;
  if (turned) network.add(Permute({.order = {2, 1, 3}}));
  network.add(Conv2D({.filters = 1, .kernel = 1, .activation = ActivationFunction::relu}))
      .add(GlobalAveragePool())
      .add(Dense({.units = 2, .activation = ActivationFunction::softmax}));
  network.build({2, 3, 1});
  set(network, "conv2d_1.weight", {2});
  set(network, "dense_1.weight", {-1, 1});
  return network;
}

TEST_CASE("class activation: the places that raise a class, along the input's axes") {
  const std::vector<float> values{0, 1, 4, -3, 0, 2};
  const Tensor input = Tensor::from(values, {1, 2, 3, 1});
  for (bool turned : {false, true}) {
    CAPTURE(turned);
    Sequential network = mean_network(turned);
    const ClassActivation map = class_activation(network, input, 1);
    CHECK(map.rows == 2);
    CHECK(map.columns == 3);
    CHECK(map.values == std::vector<float>{0, 0.25f, 1, 0, 0, 0.5f});
    const ClassActivation against = class_activation(network, input, 0);
    CHECK(against.values == std::vector<float>(6, 0.0f));  // nothing speaks for it
    CHECK_THROWS_WITH_AS(class_activation(network, input, 2), doctest::Contains("class 2 of 2"), Error);
  }
  Sequential flat;
  flat.add(Flatten()).add(Dense({.units = 2}));
  flat.build({2, 3, 1});
  CHECK_THROWS_WITH_AS(class_activation(flat, input, 0), doctest::Contains("no layer"), Error);
}

TEST_CASE("a map between its places: straight lines, and what is at the ends beyond them") {
  const ClassActivation map{2, 2, {0, 1, 0.5f, 0.25f}};
  const ClassActivation wide = interpolate(map, 2, 4);
  CHECK(wide.rows == 2);
  CHECK(wide.columns == 4);
  CHECK(wide.values == std::vector<float>{0, 0.25f, 0.75f, 1, 0.5f, 0.4375f, 0.3125f, 0.25f});
  CHECK(interpolate(map, 4, 1).values == std::vector<float>{0.5f, 0.46875f, 0.40625f, 0.375f});
  CHECK(interpolate({1, 1, {0.5f}}, 2, 2).values == std::vector<float>(4, 0.5f));
}

}  // namespace
}  // namespace melgrad::test
