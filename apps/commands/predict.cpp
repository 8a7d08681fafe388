// melgrad predict RUN AUDIO…: labels with probabilities for whole files.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "apps/audio_picture.h"
#include "apps/command.h"
#include "apps/run_folder.h"
#include "apps/table.h"

namespace melgrad {
namespace {

enum class SegmentChoice : uint8_t { all, middle, first };

}  // namespace

template <>
inline constexpr EnumNames<SegmentChoice, 3> enum_names<SegmentChoice>{
    {{SegmentChoice::all, "all"}, {SegmentChoice::middle, "middle"}, {SegmentChoice::first, "first"}}};

namespace {

struct Options : CommonOptions {
  std::string run;
  std::vector<std::string> audio;
  std::size_t top = 5;
  double threshold = 0;
  std::string segment = "all";
  std::string plot;
};

struct Score {
  std::string label;
  float probability;
};

// The segments that the prediction averages. `middle` of the published ten is the sixth.
Samples choose(const Samples& segments, SegmentChoice choice) {
  if (choice == SegmentChoice::all) return segments;
  const int64_t index = choice == SegmentChoice::first ? 0 : segments.size() / 2;
  const auto size = segments.input.numel();
  Samples one{.input = segments.input, .labels = {0}, .clip = {0}, .clips = 1};
  one.inputs.assign(segments.inputs.begin() + index * size, segments.inputs.begin() + (index + 1) * size);
  return one;
}

std::vector<Score> scores_of(TrainedNetwork& trained, const Samples& segments) {
  const auto classes = static_cast<int64_t>(trained.config.labels.size());
  const std::vector<float> each = predict(trained.network, segments, trained.config.train.batch);
  const std::vector<float> mean = mean_by_group(each, classes, segments.clip, 1);
  std::vector<Score> scores;
  for (std::size_t c = 0; c < mean.size(); ++c) scores.push_back({trained.config.labels[c], mean[c]});
  std::stable_sort(scores.begin(), scores.end(),
                   [](const Score& a, const Score& b) { return a.probability > b.probability; });
  return scores;
}

double segment_seconds(const Config& config) {
  return config.data.duration / static_cast<double>(config.data.segments);
}

void keep_best(std::vector<Score>& scores, const Options& options) {
  std::erase_if(scores, [&](const Score& score) { return score.probability < options.threshold; });
  if (scores.size() > options.top) scores.resize(options.top);
}

void run(const Options& options) {
  const Device device = use_device(options);
  SegmentChoice choice{};
  try {
    choice = parse_enum<SegmentChoice>("--segment", options.segment);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  if (!options.plot.empty() && options.audio.size() != 1) throw UsageError("--plot draws one file; give one");
  TrainedNetwork trained = load_trained(options.run, {}, device);
  Json object{{"files", Json::array()}};
  for (const std::string& path : options.audio) {
    const Samples segments = choose(file_segments(path, trained.config), choice);
    std::vector<Score> scores = scores_of(trained, segments);
    keep_best(scores, options);
    Json list = Json::array();
    std::vector<std::vector<std::string>> rows{{"label", "probability"}};
    for (const Score& score : scores) {
      list.push_back({{"label", score.label}, {"score", score.probability}});
      rows.push_back({score.label, fmt::format("{:.3f}", score.probability)});
    }
    object["files"].push_back({{"file", path}, {"segments", segments.size()}, {"scores", list}});
    if (!options.json) {
      const char* segments_are = segments.size() == 1 ? "segment of" : "segments averaged, each of";
      fmt::print("{}: {} {} {} s\n{}\n", path, segments.size(), segments_are, segment_seconds(trained.config),
                 format_table(rows));
    }
    if (!options.plot.empty()) {
      std::vector<std::pair<std::string, float>> labels;
      for (const Score& score : scores) labels.emplace_back(score.label, score.probability);
      draw_audio_picture(options.plot, path, trained.config.frontend, labels);
      if (!options.json) fmt::print("drawn to {}\n", options.plot);
    }
  }
  if (options.json) print_json(object);
}

}  // namespace

void add_predict_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("predict", "labels with probabilities for audio files");
  auto options = std::make_shared<Options>();
  command->add_option("RUN", options->run, "the run's folder")->required();
  command->add_option("AUDIO", options->audio, "audio files")->required();
  command->add_option("--top", options->top, "how many labels to print")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--threshold", options->threshold, "only labels at least as probable")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--segment", options->segment, "all (averaged), middle (the sixth of ten) or first")
      ->capture_default_str();
  command->add_option("--plot", options->plot, "draw the file and the prediction to this PNG");
  add_device_options(*command, *options);
  add_json_option(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace melgrad
