// What holds for every model and recipe that can be named.
#include "models/registry.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "kernels/error.h"
#include "kernels/philox.h"
#include "layers/batch_norm.h"
#include "layers/loss.h"
#include "models/recipes.h"

namespace melgrad {
namespace {

// The bias of a convolution that a batch norm follows has no effect, and so no gradient.
bool has_no_effect(const Sequential& network, const std::string& parameter) {
  const auto& layers = network.layers();
  for (std::size_t i = 0; i + 1 < layers.size(); ++i)
    if (layers[i + 1].layer->type() == "batch_norm" && parameter == layers[i].name + ".bias") return true;
  return false;
}

TEST_CASE("every model builds at its published shape, and each of its parameters gets a gradient") {
  for (const ModelDescription& description : model_descriptions()) {
    CAPTURE(description.name);
    CHECK(&find_model(description.name) == &description);
    Sequential network = make_model(description.name, description.classes);
    CHECK(network.build(description.input, {.seed = 1}) == Shape{description.classes});
    const Shape shape = description.input.with_batch(2);
    std::vector<float> values(static_cast<std::size_t>(shape.numel()));
    Generator random(1, Draw::test);
    for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
    const Tensor y = network.pre_activation(Tensor::from(values, shape), {.training = true});
    cross_entropy(y, Tensor::from(std::vector<int32_t>{0, 1}, {2})).backward();
    for (const NamedTensor& parameter : network.parameters()) {
      CAPTURE(parameter.name);
      const Tensor gradient = parameter.tensor.grad();
      REQUIRE(gradient.defined());
      const auto elements = gradient.data<float>();
      CHECK(std::all_of(elements.begin(), elements.end(), [](float value) { return std::isfinite(value); }));
      if (has_no_effect(network, parameter.name)) continue;
      CHECK(std::any_of(elements.begin(), elements.end(), [](float value) { return value != 0; }));
    }
  }
}

TEST_CASE("equal seeds give equal networks, others do not") {
  for (const ModelDescription& description : model_descriptions()) {
    const auto weights = [&](uint64_t seed) {
      Sequential network = make_model(description.name, description.classes);
      network.build(description.input, {.seed = seed});
      std::vector<float> values;
      for (const auto& [name, tensor] : network.values())
        values.insert(values.end(), tensor.data<float>().begin(), tensor.data<float>().end());
      return values;
    };
    CHECK(weights(1) == weights(1));
    CHECK(weights(1) != weights(2));
  }
}

TEST_CASE("models are sorted, named once, described in a line that fits a terminal") {
  const std::vector<ModelDescription>& all = model_descriptions();
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(all[i].name);
    CHECK(all[i].description.size() <= 100);
    if (i > 0) CHECK(all[i - 1].name < all[i].name);
  }
}

TEST_CASE("networks of spectrograms take other lengths, bands and numbers of classes") {
  const struct {
    const char* name;
    Shape input;
  } cases[] = {{"key-kw17", {37, 60, 1}},  {"fma-cnn", {300, 64, 1}},   {"mtat-cnn3", {683, 96, 1}},
               {"mtat-cnn", {683, 96, 1}}, {"mtat-cnn2", {683, 96, 1}}, {"choi-fcn5", {1400, 96, 1}}};
  for (const auto& c : cases) {
    CAPTURE(c.name);
    Sequential network = make_model(c.name, 7);
    CHECK(network.build(c.input) == Shape{7});
  }
}

TEST_CASE("the momentum of all batch norms is an option of the networks that have some") {
  int with = 0, without = 0;
  for (const ModelDescription& description : model_descriptions()) {
    CAPTURE(description.name);
    const auto momenta = [&](const std::map<std::string, double>& options) {
      const Sequential network = make_model(description.name, description.classes, options);
      std::set<double> found;
      for (const Sequential::Entry& entry : network.layers())
        if (const auto* norm = dynamic_cast<const BatchNorm*>(entry.layer.get()))
          found.insert(norm->options().momentum.keep);
      return found;
    };
    const std::set<double> usual = momenta({});
    if (usual.empty()) {
      ++without;
      CHECK_THROWS_WITH_AS(momenta({{"batch_norm_momentum", 0.9}}), doctest::Contains("no such option"), Error);
      continue;
    }
    ++with;
    CHECK(usual == std::set<double>{0.99});
    CHECK(momenta({{"batch_norm_momentum", 0.9}}) == std::set<double>{0.9});
  }
  CHECK(with > 0);
  CHECK(without > 0);
}

TEST_CASE("names and options that there are not") {
  CHECK_THROWS_WITH_AS(make_model("gtzan", 10), doctest::Contains("gtzan-cnn"), Error);
  CHECK_THROWS_WITH_AS(make_model("gtzan-cnn", 10, {{"droput", 0.1}}), doctest::Contains("dropout"), Error);
  Sequential network = make_model("gtzan-cnn", 10, {{"dropout", 1.5}});
  CHECK_THROWS_WITH_AS(network.build({130, 13, 1}), doctest::Contains("rate"), Error);
}

TEST_CASE("gtzan-cnn: parameters, classes, and inputs that are too small") {
  Sequential network = make_model("gtzan-cnn", 10);
  network.build({130, 13, 1});
  CHECK(network.parameter_count() == 25162);
  CHECK(network.trainable_count() == 24970);
  // Conv 4×4 valid leaves 10 coefficients, pool "same" 5, conv 3×3 3, pool 2, conv 2×2 1: 13 is the least that works.
  Sequential narrow = make_model("gtzan-cnn", 10);
  CHECK_THROWS_WITH_AS(narrow.build({130, 8, 1}), doctest::Contains("conv2d_3"), Error);
  Sequential short_one = make_model("gtzan-cnn", 10);
  CHECK_THROWS_WITH_AS(short_one.build({3, 13, 1}), doctest::Contains("conv2d_1"), Error);
  Sequential binary = make_model("gtzan-cnn", 2);
  CHECK(binary.build({130, 13, 1}) == Shape{2});
  CHECK(binary.parameter_count() == 25162 - 8 * 33);
}

TEST_CASE("recipes are sorted, named once, and say what they are") {
  CHECK(!recipes().empty());
  for (std::size_t i = 0; i < recipes().size(); ++i) {
    CHECK(recipes()[i].text.starts_with("# "));
    if (i > 0) CHECK(recipes()[i - 1].name < recipes()[i].name);
  }
}

}  // namespace
}  // namespace melgrad
