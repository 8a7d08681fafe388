// What the program says when it is used wrongly, and the JSON that other programs rely on.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/apps/program.h"

namespace melgrad::test {
namespace {

using nlohmann::json;

// One line on stderr that contains `part`, nothing on stdout, this exit status.
void check_refusal(const Arguments& arguments, int status, const std::string& part) {
  const Outcome outcome = run_program(arguments);
  std::string command = "melgrad";
  for (const std::string& argument : arguments) command += " " + argument;
  CHECK_MESSAGE(outcome.status == status, command << " exited with " << outcome.status << ": " << outcome.err);
  CHECK_MESSAGE(outcome.out.empty(), command << " printed " << outcome.out);
  CHECK_MESSAGE(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1, command << ": " << outcome.err);
  CHECK_MESSAGE(outcome.err.find(part) != std::string::npos, command << ": " << outcome.err);
}

TEST_CASE("bad usage is status 2 and one line") {
  const TemporaryFolder folder;
  const std::string out = (folder / "run").string();
  check_refusal({"compose"}, 2, "compose");
  check_refusal({}, 2, "subcommand");
  check_refusal({"train", "--recipe", "gtzan-mfcc", "--out", out}, 2, "--data");
  check_refusal({"train", "--recipe", "gtzan-mfc", "--data", ".", "--out", out}, 2, "gtzan-mfcc");
  check_refusal({"train", "--recipe", "gtzan-mfcc", "--data", ".", "--out", out, "--set", "train.batchsize=3"}, 2,
                "batch");
  check_refusal({"train", "--recipe", "gtzan-mfcc", "--data", ".", "--out", out, "--set", "trian.batch=3"}, 2, "trian");
  check_refusal({"train", "--recipe", "gtzan-mfcc", "--data", ".", "--out", out, "--set", "train.batch=many"}, 2,
                "train.batch");
  check_refusal({"train", "--recipe", "gtzan-mfcc", "--data", ".", "--out", out, "--set", "train.optimizer=adma"}, 2,
                "adam");
  check_refusal({"train", "--recipe", "gtzan-mfcc", "--data", ".", "--out", out, "--set", "frontend.hop=0"}, 2, "hop");
  check_refusal({"train", "--recipe", "gtzan-mfcc", "--data", ".", "--out", out, "--set", "data.reader=fodlers"}, 2,
                "folders");
  check_refusal({"train", "--recipe", "gtzan-mfcc", "--data", ".", "--out", out, "--device", "gpu"}, 2, "cuda");
  check_refusal({"summary", "gtzan"}, 2, "gtzan-cnn");
  check_refusal({"convert", "x.h5", "--out", out}, 2, "--recipe");
  check_refusal({"convert", "x.h5", "--model", "gtzan", "--out", out}, 2, "gtzan-cnn");
  check_refusal({"convert", "x.h5", "--model", "gtzan-cnn", "--kernel-order", "caffe", "--out", out}, 2, "theano");
  check_refusal({"features", "x.wav", "--preset", "mfcc13", "--out", out}, 2, "gtzan-mfcc");

  // A recipe with a typo in a key, and one with a typo in its grammar.
  std::ofstream(folder / "key.toml") << "[model]\nname = \"gtzan-cnn\"\n[train]\nepoch = 3\n";
  check_refusal({"train", "--recipe", (folder / "key.toml").string(), "--data", ".", "--out", out}, 2, "train.epoch");
  std::ofstream(folder / "grammar.toml") << "[model]\nname = \"gtzan-cnn\n";
  check_refusal({"train", "--recipe", (folder / "grammar.toml").string(), "--data", ".", "--out", out}, 2, "line 2");
  check_refusal({"train", "--recipe", (folder / "none.toml").string(), "--data", ".", "--out", out}, 2, "none.toml");
}

TEST_CASE("other errors are status 1 and one line") {
  const TemporaryFolder folder;
  const std::string out = (folder / "run").string();
  check_refusal({"train", "--recipe", "gtzan-mfcc", "--data", "nowhere", "--out", out}, 1, "nowhere");
  check_refusal({"predict", "nowhere", "song.wav"}, 1, "nowhere");
  check_refusal({"export", "nowhere", "--onnx", out}, 1, "nowhere");
  check_refusal({"convert", "none.h5", "--model", "gtzan-cnn", "--out", out, "--labels", "none.txt"}, 1, "none.txt");
  check_refusal({"evaluate", folder.path().string(), "--data", "."}, 1, "config.toml");
  std::filesystem::create_directories(folder / "empty");
  check_refusal({"train", "--recipe", "gtzan-mfcc", "--data", (folder / "empty").string(), "--out", out}, 1, "empty");
  std::ofstream(folder / "text.wav") << "This is no music.\n";
  check_refusal(
      {"features", (folder / "text.wav").string(), "--preset", "gtzan-mfcc", "--out", (folder / "f.npy").string()}, 1,
      "text.wav");
}

TEST_CASE("summary of the GTZAN network") {
  const Outcome outcome = run_program({"summary", "gtzan-cnn", "--json"});
  REQUIRE(outcome.status == 0);
  const json summary = json::parse(outcome.out);
  CHECK(summary["model"] == "gtzan-cnn");
  CHECK(summary["parameters"] == 25162);
  CHECK(summary["trainable"] == 24970);
  const std::vector<std::pair<std::string, std::vector<int>>> expected{{"conv2d_1", {127, 10, 48}},
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
                                                                       {"dense_2", {10}}};
  REQUIRE(summary["layers"].size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(summary["layers"][i]["name"] == expected[i].first);
    CHECK(summary["layers"][i]["output_shape"] == expected[i].second);
  }
  CHECK(summary["layers"][0]["parameters"] == 4 * 4 * 48 + 48);
}

TEST_CASE("info, models, recipes and presets") {
  const json info = json::parse(run_program({"info", "--json"}).out);
  for (const char* key : {"version", "cpu", "simd", "threads", "devices"}) CHECK(info.contains(key));
  CHECK(info["devices"].size() == 3);
  CHECK(info["devices"][0]["name"] == "cpu");
  CHECK(info["devices"][0]["available"] == true);
  for (const auto& device : info["devices"])
    CHECK((device["available"] == true) == device["reason"].get<std::string>().empty());
  for (const char* what : {"models", "recipes", "presets"}) {
    const Outcome outcome = run_program({what, "--json"});
    CHECK(outcome.status == 0);
    CHECK(json::parse(outcome.out)[what].size() >= 1);
    CHECK(run_program({what}).status == 0);
  }
}

TEST_CASE("train, evaluate and predict agree, and skip bad files with a count") {
  const TemporaryFolder folder;
  const auto data = folder / "data", run = folder / "run";
  make_tone_set(data, 10);
  std::ofstream(data / "low" / "text.wav") << "This is no music.\n";
  std::ofstream(data / "low" / "empty.wav") << "";
  const std::string whole = file_bytes(data / "low" / "low.000.wav");
  std::ofstream(data / "high" / "truncated.wav", std::ios::binary) << whole.substr(0, 20);
  write_wav(data / "high" / "none.wav", {}, 8000);

  const Outcome trained = run_program(train_arguments(data, run, 12, {"--json"}));
  REQUIRE_MESSAGE(trained.status == 0, trained.err);
  const json result = json::parse(trained.out);
  for (const char* key :
       {"run", "model", "device", "epochs", "best_epoch", "seconds", "samples_per_second", "valid", "test"})
    CHECK(result.contains(key));
  CHECK(result["test"]["skipped"] == 4);
  for (const char* name : {"text.wav", "empty.wav", "truncated.wav", "none.wav"})
    CHECK_MESSAGE(trained.err.find(name) != std::string::npos, name << " is not named in: " << trained.err);
  CHECK(trained.err.find("split: ") != std::string::npos);

  const Outcome evaluated = run_program({"evaluate", run.string(), "--data", data.string(), "--json"});
  REQUIRE_MESSAGE(evaluated.status == 0, evaluated.err);
  CHECK(json::parse(evaluated.out) == result["test"]);

  const std::string clip = (data / "high" / "high.003.wav").string();
  const Outcome predicted = run_program({"predict", run.string(), clip, "--top", "3", "--json"});
  REQUIRE_MESSAGE(predicted.status == 0, predicted.err);
  const json scores = json::parse(predicted.out)["files"][0]["scores"];
  REQUIRE(scores.size() == 3);
  double total = 0;
  for (const auto& score : scores) total += score["score"].get<double>();
  CHECK(total == doctest::Approx(1.0).epsilon(1e-5));
  CHECK(scores[0]["score"] >= scores[1]["score"]);
  check_refusal({"predict", run.string(), (data / "low" / "text.wav").string()}, 1, "text.wav");

  // A file name that is no UTF-8 must not break the JSON, nor a picture.
  const auto latin = folder / "caf\xE9.wav";
  std::filesystem::copy_file(clip, latin);
  const Outcome foreign = run_program({"predict", run.string(), latin.string(), "--json"});
  REQUIRE_MESSAGE(foreign.status == 0, foreign.err);
  CHECK(json::parse(foreign.out)["files"][0]["scores"].size() == 3);
  CHECK(run_program({"predict", run.string(), latin.string(), "--plot", (folder / "p.png").string()}).status == 0);
}

TEST_CASE("a second training reads its features from data.cache, and learns the same from them") {
  const TemporaryFolder folder;
  const auto data = folder / "data", cache = folder / "cache";
  make_tone_set(data, 6);
  const Arguments with_cache{"--set", "data.cache=" + cache.string()};
  REQUIRE(run_program(train_arguments(data, folder / "plain", 1)).status == 0);
  REQUIRE(run_program(train_arguments(data, folder / "first", 1, with_cache)).status == 0);
  const auto files_of_cache = [&] {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(cache))
      if (entry.is_regular_file()) files[entry.path()] = file_bytes(entry.path());
    return files;
  };
  const auto stored = files_of_cache();
  CHECK(stored.size() == 2);  // the manifest, and all 18 clips in one shard
  REQUIRE(run_program(train_arguments(data, folder / "second", 1, with_cache)).status == 0);
  for (const char* run : {"first", "second"})
    CHECK(file_bytes(folder / run / "last.safetensors") == file_bytes(folder / "plain/last.safetensors"));
  CHECK(files_of_cache() == stored);
}

}  // namespace
}  // namespace melgrad::test
