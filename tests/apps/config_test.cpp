#include "apps/config.h"

#include <doctest/doctest.h>

#include "apps/load_data.h"
#include "models/recipes.h"
#include "models/registry.h"
#include "tests/temporary_folder.h"

namespace melgrad::test {
namespace {

TEST_CASE("every recipe that comes with the program loads") {
  for (const Recipe& recipe : recipes()) {
    CAPTURE(recipe.name);
    const Config config = load_recipe(std::string(recipe.name), {});
    CHECK_NOTHROW(find_model(config.model));
  }
}

TEST_CASE("every recipe's features are what its network was published for") {
  for (const Recipe& recipe : recipes()) {
    CAPTURE(recipe.name);
    const Config config = load_recipe(std::string(recipe.name), {});
    const ModelDescription& model = find_model(config.model);
    const Frontend frontend(config.frontend);
    const Shape input = input_shape(make_cut(frontend, config.data).frames, frontend.bins());
    if (config.model == "key-kw17") {
      CHECK(input == Shape{151, 105, 1});  // half a minute; any number of frames will do
    } else {
      CHECK(input == model.input);
    }
    Sequential network = make_model(config.model, model.classes, config.model_options);
    CHECK(network.build(input) == Shape{model.classes});
  }
}

TEST_CASE("settings go over the recipe, the recipe over its preset, whatever the order of the keys") {
  const TemporaryFolder folder;
  const auto path = folder.write("r.toml",
                                 "[train]\nbatch = 8\n[frontend]\nhop = 100\npreset = \"gtzan-mfcc\"\n"
                                 "[model]\nname = \"gtzan-cnn\"\ndropout = 0.1\n");
  const Config config = load_recipe(path.string(), {"train.epochs=3", "train.epochs=4", "model.dropout=0.2"});
  CHECK(config.frontend.hop == 100);
  CHECK(config.frontend.n_fft == 2048);
  CHECK(config.train.batch == 8);
  CHECK(config.train.epochs == 4);
  CHECK(config.model_options.at("dropout") == 0.2);
  CHECK_THROWS_WITH_AS(load_recipe(path.string(), {"model.droput=0.2"}), doctest::Contains("dropout"), UsageError);
  CHECK_THROWS_WITH_AS(load_recipe(path.string(), {"batch=2"}), doctest::Contains("section.key=value"), UsageError);
  CHECK_THROWS_WITH_AS(load_recipe(path.string(), {"train.batch"}), doctest::Contains("section.key=value"), UsageError);
  for (const char* setting : {"train.batch=0", "train.learning_rate=nan", "train.learning_rate=-1", "train.epochs=0",
                              "train.batch=1e30", "data.test=1", "data.valid=-0.1", "data.segments=0",
                              "data.duration=0", "data.duration=nan", "frontend.sample_rate=0", "train.patience=-1"}) {
    CAPTURE(setting);
    CHECK_THROWS_AS(load_recipe(path.string(), {setting}), UsageError);
  }
}

TEST_CASE("a run's configuration comes back as it was") {
  const TemporaryFolder folder;
  Config config = load_recipe("gtzan-mfcc", {"train.learning_rate=0.1", "data.cache=a \"quoted\" \\ folder"});
  config.labels = {"jazz", "r\"n\"b", "back\\slash", "M\xC3\xBCsik", "line\nbreak", "tab\t"};
  config.input = {130, 13, 1};
  save_run_config(folder.path(), config);
  const Config read = load_run_config(folder.path());
  CHECK(read.labels == config.labels);
  CHECK(read.input == config.input);
  CHECK(read.data == config.data);
  CHECK(format_config(read) == format_config(config));
  CHECK(load_run_config(folder.path(), {"train.batch=5"}).train.batch == 5);
}

TEST_CASE("layers within layers come back as they were") {
  const TemporaryFolder folder;
  folder.write("net.toml", R"([[layer]]
type = "parallel"
join = "concatenate"
branches = [[{type = "conv1d", filters = 4, padding = "same"}, {type = "residual", body = [{type = "dense", units = 4}]}], [], [{type = "dense", name = "last", units = 2, activation = "relu"}]]
[[layer]]
type = "checkpoint"
body = [{type = "conv1d", filters = 4, kernel = 3}, {type = "batch_norm"}]
)");
  Config config = load_recipe((folder / "net.toml").string(), {});
  REQUIRE(config.layers.size() == 2);
  REQUIRE(config.layers[0].branches.size() == 3);
  CHECK(config.layers[0].branches[0][1].body[0].type == "dense");
  CHECK(config.layers[0].branches[1].empty());
  CHECK(config.layers[0].branches[2][0].name == "last");
  CHECK(config.layers[1].body.size() == 2);
  config.labels = {"a", "b"};
  config.input = {8, 2};
  save_run_config(folder.path(), config);
  CHECK(format_config(load_run_config(folder.path())) == format_config(config));
}

TEST_CASE("a run's configuration cut off anywhere is an error that names it, or is whole enough") {
  const TemporaryFolder folder;
  Config config = load_recipe("gtzan-mfcc", {});
  config.labels = {"a", "b"};
  config.input = {130, 13, 1};
  const std::string text = format_config(config);
  for (std::size_t length = 0; length < text.size(); length += 3) {
    folder.write("config.toml", text.substr(0, length));
    try {
      const Config read = load_run_config(folder.path());
      CHECK(read.labels == config.labels);
      CHECK(read.input == config.input);
    } catch (const Error& error) {
      CHECK(std::string(error.what()) != "");
    }
  }
  CHECK_THROWS_WITH_AS(load_run_config(folder / "nowhere"), doctest::Contains("melgrad train --out"), Error);
}

}  // namespace
}  // namespace melgrad::test
