// Each layout from synth through data to an epoch of training, with broken files among the audio.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/apps/program.h"

namespace melgrad::test {
namespace {

namespace fs = std::filesystem;

// Audio files below a folder, sorted.
std::vector<fs::path> audio_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".mp3" || entry.path().extension() == ".wav") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

struct Layout {
  const char* name;
  int clips;
  const char* split;
  const char* loss;
  bool missing_is_listed;  // whether a table names files, so that one that is gone is missed
};

TEST_CASE("each layout: synth, data, an epoch of training, with a file truncated, one missing and one of text") {
  for (const Layout layout : {Layout{"folders", 40, "random-tracks", "cross-entropy", false},
                              Layout{"fma", 32, "official", "cross-entropy", true},
                              Layout{"mtat", 40, "official", "binary-cross-entropy", true},
                              Layout{"msd-key", 72, "random-tracks", "cross-entropy", true}}) {
    CAPTURE(layout.name);
    const TemporaryFolder folder;
    const std::string data = (folder / "data").string(), run = (folder / "run").string();
    const Outcome synth =
        run_program({"synth", layout.name, "--out", data, "--clips", std::to_string(layout.clips), "--seconds", "1.5"});
    REQUIRE_MESSAGE(synth.status == 0, synth.err);
    const auto files = audio_in(data);
    REQUIRE(files.size() == static_cast<std::size_t>(layout.clips));
    fs::resize_file(files[2], fs::file_size(files[2]) / 3);
    fs::remove(files[5]);
    std::ofstream(files[9]) << "This is no audio, whatever its name says.\n";

    const Outcome shown = run_program({"data", layout.name, data, "--json"});
    REQUIRE_MESSAGE(shown.status == 0, shown.err);
    const auto object = nlohmann::json::parse(shown.out);
    const std::size_t broken = layout.missing_is_listed ? 3 : 2;
    CHECK(object["skipped"].size() == broken);
    CHECK(object["clips"] == (layout.missing_is_listed ? layout.clips : layout.clips - 1));
    CHECK(std::ranges::count_if(object["skipped"], [](const auto& one) { return one["missing"] == true; }) ==
          (layout.missing_is_listed ? 1 : 0));
    const Outcome table = run_program({"data", layout.name, data});
    CHECK(table.status == 0);
    CHECK(table.out.find("all clips") != std::string::npos);
    CHECK(table.err.find(fmt::format("skipped {} file", broken)) != std::string::npos);

    const auto recipe =
        folder.write("tiny.toml", fmt::format(R"(
[frontend]
sample_rate = 8000
n_fft = 512
hop = 256
mels = 20
[data]
reader = "{}"
duration = 1.0
short = "repeat"
split = "{}"
[augment]
gain_db = 3
[train]
loss = "{}"
epochs = 1
[[layer]]
type = "flatten"
[[layer]]
type = "dense"
units = {}
activation = "{}"
)",
                                              layout.name, layout.split, layout.loss, object["labels"].size(),
                                              std::string_view(layout.name) == "mtat" ? "sigmoid" : "softmax"));
    const std::string cache = (folder / "cache").string();
    const Outcome trained =
        run_program({"train", "--recipe", recipe.string(), "--data", data, "--out", run, "--cache", cache, "--json"});
    REQUIRE_MESSAGE(trained.status == 0, trained.err);
    CHECK(trained.err.find(fmt::format("skipped {} file", broken)) != std::string::npos);
    const auto result = nlohmann::json::parse(trained.out);
    CHECK(result["epochs"] == 1);
    CHECK(result["valid"]["skipped"] == broken);
    // Again, from the cache, without a worker and resumed to a second epoch.
    CHECK(fs::exists(cache));
    const Outcome resumed = run_program({"train", "--resume", "--data", data, "--out", run, "--cache", cache,
                                         "--workers", "0", "--set", "train.epochs=2"});
    CHECK_MESSAGE(resumed.status == 0, resumed.err);
    const Outcome evaluated = run_program({"evaluate", run, "--data", data, "--no-cache", "--json"});
    CHECK_MESSAGE(evaluated.status == 0, evaluated.err);
    if (std::string_view(layout.name) != "mtat") continue;
    const Outcome folder_f =
        run_program({"evaluate", run, "--data", data, "--no-cache", "--json", "--set", "data.folders=f"});
    REQUIRE_MESSAGE(folder_f.status == 0, folder_f.err);
    const auto one = nlohmann::json::parse(folder_f.out);
    CHECK(one["samples"] == audio_in(folder / "data" / "f").size());
    CHECK(one["samples"] < nlohmann::json::parse(evaluated.out)["samples"]);
    CHECK(one["protocol"].get<std::string>().find("of these f") != std::string::npos);
  }
}

}  // namespace
}  // namespace melgrad::test
