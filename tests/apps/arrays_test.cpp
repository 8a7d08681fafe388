// Networks without a rebuild: [[layer]] recipes on arrays, from given weights, through the program.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/load_arrays.h"
#include "kernels/philox.h"
#include "tensor/io/npy.h"
#include "tensor/io/safetensors.h"
#include "tests/apps/program.h"

namespace melgrad::test {
namespace {

using nlohmann::json;

// n samples of two channels over eight steps; the label is the louder channel.
void write_split(const TemporaryFolder& folder, const std::string& split, int64_t n, uint32_t seed) {
  std::vector<float> x;
  std::vector<int32_t> y;
  Generator random(seed, Draw::test);
  for (int64_t i = 0; i < n; ++i) {
    const auto label = static_cast<int32_t>(random.below(2));
    for (int j = 0; j < 16; ++j) x.push_back(static_cast<float>((j % 2 == label ? 2.0 : 0.5) * random.normal()));
    y.push_back(label);
  }
  save_npy(folder / (split + "_x.npy"), Tensor::from(x, {n, 8, 2}));
  save_npy(folder / (split + "_y.npy"), Tensor::from(y, {n}));
}

constexpr const char* recipe = R"([data]
reader = "arrays"
[train]
batch = 8
epochs = 6
learning_rate = 0.02
[[layer]]
type = "conv1d"
filters = 6
kernel = 3
padding = "same"
activation = "relu"
[[layer]]
type = "residual"
activation = "relu"
body = [{type = "conv1d", filters = 6, padding = "same"}, {type = "batch_norm"}]
[[layer]]
type = "squeeze_excitation"
ratio = 0.5
[[layer]]
type = "gru"
units = 4
return_sequences = true
[[layer]]
type = "global_max_pool"
[[layer]]
type = "dense"
name = "out"
units = 2
activation = "softmax"
)";

struct ArrayRun {
  TemporaryFolder folder;
  std::string data = folder.path().string();

  ArrayRun() {
    write_split(folder, "train", 64, 1);
    write_split(folder, "valid", 24, 2);
    write_split(folder, "test", 40, 3);
    folder.write("recipe.toml", recipe);
  }
  Outcome train(const std::string& out, const Arguments& more = {}, const Environment& environment = {}) const {
    Arguments arguments{"train", "--recipe", (folder / "recipe.toml").string(), "--data",
                        data,    "--out",    (folder / out).string(),           "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments, environment);
  }
};

TEST_CASE("a [[layer]] recipe learns from arrays, and its run is evaluated and summed up") {
  const ArrayRun run;
  const Outcome trained = run.train("run", {"--set", "train.epochs=30"});
  REQUIRE_MESSAGE(trained.status == 0, trained.err);
  CHECK(json::parse(trained.out)["test"]["accuracy"].get<double>() > 0.75);  // chance is 0.5
  const Outcome evaluated =
      run_program({"evaluate", (run.folder / "run").string(), "--data", run.data, "--split", "valid", "--json"});
  REQUIRE_MESSAGE(evaluated.status == 0, evaluated.err);
  CHECK(json::parse(evaluated.out)["samples"] == 24);
  const Outcome summary = run_program({"summary", (run.folder / "run").string(), "--json"});
  REQUIRE_MESSAGE(summary.status == 0, summary.err);
  const json layers = json::parse(summary.out)["layers"];
  REQUIRE(layers.size() == 6);
  CHECK(layers[1]["parameters"] == 6 * 3 * 6 + 6 + 4 * 6);  // as all frameworks count: with the running statistics
  CHECK(layers[2]["parameters"] == 6 * 3 + 3 + 3 * 6 + 6);
  CHECK(layers[5]["name"] == "out");
  CHECK(layers[5]["output_shape"] == json::array({2}));
}

// 24 steps: the CUDA kernels, on simt, from the same weights on the same batches.
TEST_CASE("train --device simt goes as on the cpu") {
  const ArrayRun run;
  const auto last = [&](const std::string& device) {
    const Outcome outcome = run.train(device, {"--device", device, "--set", "train.epochs=3"});
    REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
    CHECK(json::parse(outcome.out)["device"] == device);
    return load_safetensors(run.folder / device / "last.safetensors").tensors;
  };
  const auto cpu = last("cpu"), simt = last("simt");
  for (const auto& [name, tensor] : cpu) {
    if (tensor.dtype() != DType::f32) continue;
    // A bias before a batch norm has gradient 0; of its rounding the optimizer makes steps.
    if (name == "residual_1.body.conv1d_1.bias") continue;
    INFO(name);
    const auto expected = tensor.data<float>(), values = simt.at(name).data<float>();
    for (std::size_t i = 0; i < expected.size(); ++i)
      CHECK(std::abs(values[i] - expected[i]) <= 1e-3 * (1 + std::abs(expected[i])));
  }
}

TEST_CASE("--init starts from given weights, and refuses those of another network") {
  const ArrayRun run;
  REQUIRE(run.train("first").status == 0);
  const std::string weights = (run.folder / "first" / "last.safetensors").string();
  const Outcome on = run.train("second", {"--init", weights, "--set", "train.learning_rate=0"});
  REQUIRE_MESSAGE(on.status == 0, on.err);
  const auto before = load_safetensors(weights).tensors;
  const auto after = load_safetensors(run.folder / "second" / "last.safetensors").tensors;
  for (const char* name :
       {"conv1d_1.weight", "residual_1.body.conv1d_1.weight", "gru_1.recurrent_kernel", "out.bias"}) {
    INFO(name);
    CHECK(std::ranges::equal(before.at(name).data<float>(), after.at(name).data<float>()));
  }
  save_safetensors(run.folder / "other.safetensors",
                   {.tensors = {{"out.weight", Tensor::zeros({4, 2})}}, .metadata = {}});
  const Outcome refused = run.train("third", {"--init", (run.folder / "other.safetensors").string()});
  CHECK(refused.status == 1);
  CHECK(std::count(refused.err.begin(), refused.err.end(), '\n') == 1);
  CHECK(refused.err.find("other.safetensors: no tensor '") != std::string::npos);
}

TEST_CASE("every optimizer, with schedule, clipping and averaging, resumes to the bit") {
  const ArrayRun run;
  const Arguments variants[] = {
      {"--set", "train.optimizer=sgd", "--set", "train.momentum=0.9", "--set", "train.schedule=inverse_time", "--set",
       "train.schedule_decay=0.1"},
      {"--set", "train.optimizer=adamw", "--set", "train.weight_decay=0.1", "--set", "train.amsgrad=true", "--set",
       "train.schedule=one_cycle"},
      {"--set", "train.optimizer=adadelta", "--set", "train.learning_rate=1", "--set", "train.average=0.9"},
      {"--set", "train.optimizer=rmsprop", "--set", "train.centred=true", "--set", "train.momentum=0.5", "--set",
       "train.schedule=cosine", "--set", "train.schedule_warmup=2", "--set", "train.clip_norm=0.5"},
      {"--set", "train.schedule=plateau", "--set", "train.schedule_patience=1", "--set", "train.clip_value=0.1"},
      {"--set", "train.schedule=staged", "--set", "train.schedule_patience=1"},
  };
  int number = 0;
  for (const Arguments& variant : variants) {
    const std::string whole = fmt::format("whole_{}", number), parts = fmt::format("parts_{}", number);
    INFO("variant ", number);
    ++number;
    const Outcome outcome = run.train(whole, variant);
    REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
    // Dies in the middle: at one of its file operations, then goes on.
    const Outcome died = run.train(parts, variant, {{"MELGRAD_DIE_AT_FILE_OPERATION", "20"}});
    CHECK(died.status != 0);
    Arguments resuming = variant;
    resuming.push_back("--resume");
    const Outcome resumed = run.train(parts, resuming);
    REQUIRE_MESSAGE(resumed.status == 0, resumed.err);
    for (const char* file : {"last.safetensors", "best.safetensors", "log.tsv"}) {
      INFO(file);
      CHECK(file_bytes(run.folder / whole / file) == file_bytes(run.folder / parts / file));
    }
  }
}

constexpr const char* groups = R"([[train.group]]
match = "conv1d_1.*"
rate_scale = 0
[[train.group]]
match = "*.bias"
decay_scale = 0.0
rate_scale = 2
)";

TEST_CASE("[[train.group]] tables hold parameters still by name, and resume to the bit") {
  const ArrayRun run;
  run.folder.write("recipe.toml", std::string(recipe) + groups);
  const Arguments decay{"--set", "train.optimizer=adamw", "--set", "train.weight_decay=0.5"};
  const Outcome whole = run.train("whole", decay);
  REQUIRE_MESSAGE(whole.status == 0, whole.err);
  CHECK(run.train("parts", decay, {{"MELGRAD_DIE_AT_FILE_OPERATION", "20"}}).status != 0);
  Arguments resuming = decay;
  resuming.push_back("--resume");
  const Outcome resumed = run.train("parts", resuming);
  REQUIRE_MESSAGE(resumed.status == 0, resumed.err);
  for (const char* file : {"last.safetensors", "best.safetensors", "log.tsv", "config.toml"}) {
    INFO(file);
    CHECK(file_bytes(run.folder / "whole" / file) == file_bytes(run.folder / "parts" / file));
  }
  // The first weights, by a run of one epoch at rate 0.
  REQUIRE(run.train("first", {"--set", "train.learning_rate=0", "--set", "train.epochs=1"}).status == 0);
  const auto before = load_safetensors(run.folder / "first" / "last.safetensors").tensors;
  const auto after = load_safetensors(run.folder / "whole" / "last.safetensors").tensors;
  const auto same = [&](const char* name) {
    return std::ranges::equal(before.at(name).data<float>(), after.at(name).data<float>());
  };
  CHECK(same("conv1d_1.weight"));
  CHECK(same("conv1d_1.bias"));  // the first group that matches
  CHECK_FALSE(same("residual_1.body.conv1d_1.bias"));
  CHECK_FALSE(same("out.weight"));
  // Without the groups it is another training.
  run.folder.write("recipe.toml", recipe);
  REQUIRE(run.train("plain", decay).status == 0);
  CHECK(file_bytes(run.folder / "plain" / "log.tsv") != file_bytes(run.folder / "whole" / "log.tsv"));
}

TEST_CASE("groups that make no sense are refused by name") {
  const ArrayRun run;
  const auto refused = [&](const std::string& table, int status, const std::string& part) {
    run.folder.write("recipe.toml", std::string(recipe) + table);
    const Outcome outcome = run.train("run");
    CHECK_MESSAGE(outcome.status == status, outcome.err);
    CHECK_MESSAGE(outcome.err.find(part) != std::string::npos, outcome.err);
    CHECK_MESSAGE(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1, outcome.err);
  };
  refused("[[train.group]]\nmatch = \"*.scale\"\n", 1, "train.group: no parameter's name matches '*.scale'; there is ");
  refused("[[train.group]]\nrate_scale = 0.1\n", 2, "train.group.match: empty");
  refused("[[train.group]]\nmatch = \"*\"\ndecay_scale = -1\n", 2, "train.group.decay_scale: -1, expected 0 or more");
  refused("[[train.group]]\nmatch = \"*\"\nrate_scale = nan\n", 2, "train.group.rate_scale: nan, expected 0 or more");
  refused("[[train.group]]\nmatch = \"*\"\nrate = 1\n", 2, "unknown key 'train.group.rate'");
  refused("[train.group]\nmatch = \"*\"\n", 2, "train.group: expected tables, such as [[train.group]]");
}

TEST_CASE("arrays that do not fit are refused by name") {
  const ArrayRun run;
  const auto refused = [&](const std::string& part) {
    const Outcome outcome = run.train("run");
    CHECK_MESSAGE(outcome.status == 1, outcome.err);
    CHECK_MESSAGE(outcome.err.find(part) != std::string::npos, outcome.err);
    CHECK_MESSAGE(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1, outcome.err);
    std::filesystem::remove_all(run.folder / "run");
  };
  save_npy(run.folder / "valid_x.npy", Tensor::zeros({24, 8, 3}));
  refused("valid_x.npy");
  save_npy(run.folder / "valid_x.npy", Tensor::zeros({23, 8, 2}));
  refused("valid_y.npy: i32 (24), expected integers (23)");
  write_split(run.folder, "valid", 24, 2);
  save_npy(run.folder / "train_y.npy", Tensor::from(std::vector<int32_t>(64, -1), {64}));
  refused("label -1 is negative");
  std::filesystem::remove(run.folder / "train_x.npy");
  refused("no train_x.npy");
}

}  // namespace
}  // namespace melgrad::test
