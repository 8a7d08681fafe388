// predict, samples and the pictures of evaluations, through the program.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "audio/key_spectrogram.h"
#include "kernels/philox.h"
#include "tensor/io/npy.h"
#include "tests/apps/program.h"

namespace melgrad::test {
namespace {

using nlohmann::json;

// A trained tone set, once for all cases of this file.
struct TrainedTones {
  TemporaryFolder folder;
  std::string data = (folder / "data").string(), run = (folder / "run").string();

  TrainedTones() {
    make_tone_set(folder / "data", 8);
    const Outcome trained = run_program(train_arguments(data, run, 60));
    REQUIRE_MESSAGE(trained.status == 0, trained.err);
  }
  std::string clip() const { return (folder / "data" / "high" / "high.003.wav").string(); }
};

const TrainedTones& tones() {
  static const TrainedTones trained;
  return trained;
}

json predict_json(Arguments arguments) {
  arguments.insert(arguments.begin(), {"predict", tones().run});
  arguments.push_back("--json");
  const Outcome outcome = run_program(arguments);
  REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
  return json::parse(outcome.out);
}

TEST_CASE("predict takes a folder: its audio files, sorted, and no others") {
  const std::string folder = (tones().folder / "data" / "low").string();
  std::ofstream(tones().folder / "data" / "low" / "notes.txt") << "not audio\n";
  const json files = predict_json({folder})["files"];
  REQUIRE(files.size() == 8);
  for (std::size_t i = 0; i < files.size(); ++i) CHECK(files[i]["file"] == folder + fmt::format("/low.{:03}.wav", i));
  const TemporaryFolder empty;
  const Outcome refused = run_program({"predict", tones().run, empty.path().string()});
  CHECK(refused.status == 1);
  CHECK(refused.err.find("no audio files") != std::string::npos);
}

TEST_CASE("predict takes the features of a file as .npy, and gives what it gives for the file") {
  const auto features = tones().folder / "clip.npy";
  const Outcome made = run_program({"features", tones().clip(), "--preset", "gtzan-mfcc", "--set", "sample_rate=8000",
                                    "--set", "n_fft=256", "--set", "hop=64", "--out", features.string()});
  REQUIRE_MESSAGE(made.status == 0, made.err);
  const json from_audio = predict_json({tones().clip()})["files"][0]["scores"];
  const json from_array = predict_json({features.string()})["files"][0]["scores"];
  REQUIRE(from_array.size() == from_audio.size());
  for (std::size_t i = 0; i < from_audio.size(); ++i) {
    CHECK(from_array[i]["label"] == from_audio[i]["label"]);
    CHECK(from_array[i]["score"] == from_audio[i]["score"]);
  }
  save_npy(tones().folder / "wide.npy", Tensor::zeros({63, 14}));
  save_npy(tones().folder / "short.npy", Tensor::zeros({10, 13}));
  for (const auto& [name, complaint] : {std::pair{"wide.npy", "(frames, 13)"}, {"short.npy", "10 frames"}}) {
    const Outcome refused = run_program({"predict", tones().run, (tones().folder / name).string()});
    CHECK(refused.status == 1);
    CHECK_MESSAGE(refused.err.find(complaint) != std::string::npos, refused.err);
  }
  // Another frontend than the network's, which shapes do not tell.
  REQUIRE(run_program({"features", tones().clip(), "--preset", "gtzan-mfcc", "--set", "sample_rate=8000", "--set",
                       "n_fft=256", "--set", "hop=64", "--set", "fmin=30", "--out", features.string()})
              .status == 0);
  const Outcome refused = run_program({"predict", tones().run, features.string()});
  CHECK(refused.status == 1);
  CHECK_MESSAGE(
      refused.err.find("made with frontend.fmin = 30, and the network was trained with fmin = 0") != std::string::npos,
      refused.err);
}

// The features of clips made one by one, as arrays: what a network trained on the audio is evaluated with.
void write_feature_arrays(const std::filesystem::path& folder, const std::vector<int32_t>& labels, bool with_channel) {
  std::vector<float> x;
  Shape input;
  const char* classes[] = {"high", "low", "middle"};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string name = classes[labels[i]];
    const auto clip = tones().folder / "data" / name / fmt::format("{}.{:03}.wav", name, i);
    const auto made = tones().folder / "one.npy";
    REQUIRE(run_program({"features", clip.string(), "--preset", "gtzan-mfcc", "--set", "sample_rate=8000", "--set",
                         "n_fft=256", "--set", "hop=64", "--again", "--out", made.string()})
                .status == 0);
    const Tensor features = load_npy(made);
    input = features.shape();
    x.insert(x.end(), features.data<float>().begin(), features.data<float>().end());
  }
  if (with_channel) input.append(1);
  const auto n = static_cast<int64_t>(labels.size());
  save_npy(folder / "test_x.npy", Tensor::from(x, input.with_batch(n)));
  save_npy(folder / "test_y.npy", Tensor::from(labels, {n}));
}

TEST_CASE("evaluate takes features as arrays for a network trained on audio; classes are numbers of its labels") {
  const std::vector<int32_t> labels{1, 0, 1, 1, 0};  // the third class does not occur
  json plain;
  for (bool with_channel : {false, true}) {
    const TemporaryFolder folder;
    write_feature_arrays(folder.path(), labels, with_channel);
    const Arguments arguments{"evaluate", tones().run,          "--data", folder.path().string(),
                              "--set",    "data.reader=arrays", "--json"};
    const Outcome outcome = run_program(arguments);
    REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
    const json result = json::parse(outcome.out);
    CHECK(result["samples"] == 5);
    CHECK(result["accuracy"].get<double>() == 1);
    CHECK(result["per_class"][1]["label"] == "low");
    CHECK(result["per_class"][1]["labelled"] == 3);
    if (with_channel) CHECK(result == plain);
    plain = result;

    Arguments with_baseline = arguments;
    with_baseline.push_back("--baseline");
    const Outcome no_training = run_program(with_baseline);
    CHECK(no_training.status == 1);
    CHECK_MESSAGE(no_training.err.find("--baseline") != std::string::npos, no_training.err);
    save_npy(folder / "test_x.npy", Tensor::zeros({5, 20, 13}));
    const Outcome refused = run_program(arguments);
    CHECK(refused.status == 1);
    CHECK_MESSAGE(refused.err.find("(20, 13) a sample") != std::string::npos, refused.err);
    save_npy(folder / "test_y.npy", Tensor::from(std::vector<int32_t>{0, 1, 2, 3, 0}, {5}));
    CHECK(run_program(arguments).err.find("labels are not those") != std::string::npos);
  }
}

TEST_CASE("predict takes key spectrograms as pictures where the network reads these, and nowhere else") {
  const TemporaryFolder folder;
  const std::string data = (folder / "keys").string(), run = (folder / "run").string();
  REQUIRE(run_program({"synth", "msd-key", "--out", data, "--clips", "72", "--seconds", "4"}).status == 0);
  const Outcome trained =
      run_program({"train", "--recipe", "key-spectrogram-ce", "--data", data, "--out", run, "--set", "train.epochs=1",
                   "--set", "data.duration=4", "--set", "data.key_confidence=0", "--set", "data.mode_confidence=0"});
  REQUIRE_MESSAGE(trained.status == 0, trained.err);
  std::filesystem::path clip;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "keys" / "0-1"))
    if (entry.is_regular_file()) clip = entry.path();
  const auto pictures = folder / "pictures";
  std::filesystem::create_directories(pictures);
  RgbImage picture{.height = 87, .width = 87, .pixels = std::vector<uint8_t>(87 * 87 * 3)};
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<uint8_t>(i * 7 % 256);
  save_png(pictures / "song.png", picture);
  const Tensor grey = Tensor::from(load_key_spectrogram(pictures / "song.png"), {88, 88});
  save_npy(folder / "song.npy", grey);
  const auto scores = [&](const Arguments& more) {
    Arguments arguments{"predict", run, "--json", "--top", "24"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_program(arguments);
    REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
    return json::parse(outcome.out)["files"];
  };
  const json from_folder = scores({pictures.string()});
  REQUIRE(from_folder.size() == 1);
  CHECK(from_folder[0]["scores"].size() == 24);
  CHECK(from_folder[0]["scores"] == scores({(folder / "song.npy").string()})[0]["scores"]);
  CHECK(from_folder[0]["scores"] != scores({clip.string()})[0]["scores"]);
  const auto look = folder / "look.png";
  scores({(pictures / "song.png").string(), "--activation", look.string()});
  CHECK(std::filesystem::file_size(look) > 1000);
  const Outcome other = run_program({"predict", tones().run, (pictures / "song.png").string()});
  CHECK(other.status == 1);
  CHECK_MESSAGE(other.err.find("a picture") != std::string::npos, other.err);
  CHECK(run_program({"predict", tones().run, pictures.string()}).err.find("no audio files") != std::string::npos);
  const Outcome drawn =
      run_program({"predict", run, (pictures / "song.png").string(), "--plot", (folder / "plot.png").string()});
  CHECK_MESSAGE(drawn.err.find("--plot draws recordings") != std::string::npos, drawn.err);
}

TEST_CASE("predict --time: the scores of each segment, whose mean is the file's") {
  std::vector<float> two_seconds(16000);
  for (std::size_t i = 0; i < two_seconds.size(); ++i)
    two_seconds[i] = static_cast<float>(0.3 * std::sin(0.2 * static_cast<double>(i) * (i < 8000 ? 1.0 : 8.0)));
  const auto file = tones().folder / "change.wav", picture = tones().folder / "time.png";
  write_wav(file, two_seconds, 8000);
  const json result = predict_json({file.string(), "--time", "--plot", picture.string()})["files"][0];
  REQUIRE(result["time"].size() == result["segments"].get<std::size_t>());
  REQUIRE(result["time"].size() == 4);
  CHECK(result["time"][3]["seconds"] == 1.5);
  for (std::size_t label = 0; label < result["scores"].size(); ++label) {
    double sum = 0;
    for (const auto& row : result["time"]) {
      CHECK(row["scores"][label]["label"] == result["scores"][label]["label"]);
      sum += row["scores"][label]["score"].get<double>();
    }
    CHECK(sum / 4 == doctest::Approx(result["scores"][label]["score"].get<double>()).epsilon(1e-5));
  }
  CHECK(std::filesystem::file_size(picture) > 1000);
  const Outcome text = run_program({"predict", tones().run, file.string(), "--time"});
  CHECK(text.out.find("seconds") != std::string::npos);
  const json one = predict_json({file.string(), "--segment", "middle"})["files"][0];
  CHECK(one["segments"] == 1);
}

TEST_CASE("predict --threshold keeps what is at least as probable; --activation draws") {
  const json all = predict_json({tones().clip()})["files"][0]["scores"];
  const double second = all[1]["score"];
  CHECK(predict_json({tones().clip(), "--threshold", fmt::format("{}", second + 1e-4)})["files"][0]["scores"].size() ==
        1);
  const auto picture = tones().folder / "activation.png";
  predict_json({tones().clip(), "--activation", picture.string()});
  CHECK(std::filesystem::file_size(picture) > 1000);
}

TEST_CASE("samples finds the layout by itself: tags, genres, keys") {
  for (const auto& [layout, label] : {std::pair{"mtat", "violin"}, {"fma", "Rock"}, {"msd-key", "C major"}}) {
    CAPTURE(layout);
    const TemporaryFolder folder;
    const std::string data = (folder / "data").string();
    REQUIRE(run_program({"synth", layout, "--out", data, "--clips", "24", "--seconds", "2"}).status == 0);
    const Outcome outcome =
        run_program({"samples", data, "--label", label, "--count", "1", "--out", (folder / "sheet.png").string(),
                     "--set", "data.key_confidence=0", "--set", "data.mode_confidence=0", "--json"});
    REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
    CHECK(json::parse(outcome.out)["clips"].size() == 1);
  }
}

TEST_CASE("samples draws clips of a label, and lists the labels for another") {
  const auto picture = tones().folder / "sheet.png";
  const Outcome outcome = run_program({"samples", tones().data, "--label", "middle", "--count", "3", "--out",
                                       picture.string(), "--set", "frontend.sample_rate=8000", "--json"});
  REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
  CHECK(json::parse(outcome.out)["clips"].size() == 3);
  CHECK(std::filesystem::file_size(picture) > 1000);
  const Outcome refused = run_program({"samples", tones().data, "--label", "violin"});
  CHECK(refused.status == 2);
  CHECK(refused.err.find("high, low, middle") != std::string::npos);
}

TEST_CASE("tags from arrays: train and evaluate give the same figures, tables and three pictures") {
  const TemporaryFolder folder;
  for (const auto& [split, n] : {std::pair{"train", 60}, {"valid", 20}, {"test", 30}}) {
    std::vector<float> x, y;
    Generator random(static_cast<uint64_t>(n), Draw::test);
    for (int i = 0; i < n; ++i) {
      for (int tag = 0; tag < 3; ++tag) y.push_back(random.uniform() < 0.4f ? 1.0f : 0.0f);
      for (int j = 0; j < 4; ++j)
        x.push_back(y[y.size() - 3 + static_cast<std::size_t>(j % 3)] + 0.1f * random.uniform());
    }
    save_npy(folder / fmt::format("{}_x.npy", split), Tensor::from(x, {n, 4}));
    save_npy(folder / fmt::format("{}_y.npy", split), Tensor::from(y, {n, 3}));
  }
  folder.write(
      "r.toml",
      "[data]\nreader = \"arrays\"\n[train]\nloss = \"binary-cross-entropy\"\nepochs = 40\nlearning_rate = 0.05\n"
      "[[layer]]\ntype = \"dense\"\nunits = 3\nactivation = \"sigmoid\"\n");
  const std::string data = folder.path().string(), run = (folder / "run").string();
  const Outcome trained =
      run_program({"train", "--recipe", (folder / "r.toml").string(), "--data", data, "--out", run, "--json"});
  REQUIRE_MESSAGE(trained.status == 0, trained.err);
  const json test = json::parse(trained.out)["test"];
  CHECK(test["roc_auc"].get<double>() > 0.98);
  CHECK(test["per_tag"].size() == 3);
  const Outcome evaluated =
      run_program({"evaluate", run, "--data", data, "--json", "--baseline", "--plot", (folder / "tags.png").string()});
  REQUIRE_MESSAGE(evaluated.status == 0, evaluated.err);
  json again = json::parse(evaluated.out);
  CHECK(again["nearest_centroid"]["roc_auc"].get<double>() > 0.6);
  again.erase("nearest_centroid");
  CHECK(again == test);
  for (const char* name : {"tags.png", "tags.top-k.png", "tags.labels.png"})
    CHECK(std::filesystem::file_size(folder / name) > 1000);
  const Outcome text = run_program({"evaluate", run, "--data", data, "--threshold", "0.3"});
  for (const char* part : {"ROC-AUC", "threshold of 0.3", "top K", "0 files skipped"})
    CHECK_MESSAGE(text.out.find(part) != std::string::npos, text.out);
}

}  // namespace
}  // namespace melgrad::test
