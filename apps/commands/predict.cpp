// melgrad predict RUN AUDIO…: labels with probabilities for whole files.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "apps/audio_picture.h"
#include "apps/command.h"
#include "apps/load_features.h"
#include "apps/plots/plots.h"
#include "apps/run_folder.h"
#include "apps/table.h"
#include "models/look_inside.h"

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
  std::string plot, activation;
  bool time = false;
};

struct Score {
  std::string label;
  float probability;
  std::size_t index;  // of the label
};

// Of a file: the scores of the segments that count (segments, labels), and the first of these.
struct Prediction {
  std::vector<float> each, first;
  int64_t segments = 0;
};

// Segment after segment, a batch of them in memory. `middle` of the published ten is the sixth.
Prediction predict_file(TrainedNetwork& trained, const std::string& path, SegmentChoice choice) {
  std::vector<float> segment;
  int64_t chosen = 0;
  if (choice == SegmentChoice::middle) {
    const NextSegment next = input_segments(path, trained.config);
    while (next(segment)) ++chosen;
    chosen /= 2;
  }
  Prediction prediction;
  Samples batch{.input = trained.config.input, .clips = 1};
  const auto score = [&] {
    const std::vector<float> scores = predict(trained.network, batch, trained.config.train.batch);
    prediction.each.insert(prediction.each.end(), scores.begin(), scores.end());
    batch.inputs.clear();
    batch.clip.clear();
    batch.labels.clear();
  };
  const NextSegment next = input_segments(path, trained.config);
  for (int64_t at = 0; next(segment); ++at) {
    if (choice != SegmentChoice::all && at != chosen) continue;
    if (prediction.segments++ == 0) prediction.first = segment;
    batch.inputs.insert(batch.inputs.end(), segment.begin(), segment.end());
    batch.clip.push_back(0);
    batch.labels.push_back(0);
    if (batch.size() == trained.config.train.batch) score();
  }
  if (batch.size() > 0) score();
  return prediction;
}

// Of the whole file, best first.
std::vector<Score> scores_of(const Config& config, const Prediction& prediction) {
  const std::vector<int32_t> one_clip(static_cast<std::size_t>(prediction.segments), 0);
  const std::vector<float> mean =
      mean_by_group(prediction.each, static_cast<int64_t>(config.labels.size()), one_clip, 1);
  std::vector<Score> scores;
  for (std::size_t c = 0; c < mean.size(); ++c) scores.push_back({config.labels[c], mean[c], c});
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

// How much of a file a prediction is of.
std::string counted(int64_t segments, const Config& config) {
  if (config.frontend.kind == FeatureKind::key_spectrogram) return "all of it, in one picture";
  return fmt::format("{} {} {:.4g} s", segments, segments == 1 ? "segment of" : "segments averaged, each of",
                     segment_seconds(config));
}

// The kept labels (columns) at each segment (rows).
std::vector<float> along_time(const std::vector<Score>& kept, const std::vector<float>& each, std::size_t labels) {
  std::vector<float> values;
  for (std::size_t row = 0; row < each.size(); row += labels)
    for (const Score& score : kept) values.push_back(each[row + score.index]);
  return values;
}

std::string time_table(const std::vector<Score>& kept, const std::vector<float>& values, double step) {
  std::vector<std::vector<std::string>> rows{{"seconds"}};
  for (const Score& score : kept) rows[0].push_back(score.label);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % kept.size() == 0) rows.push_back({fmt::format("{:.1f}", static_cast<double>(i / kept.size()) * step)});
    rows.back().push_back(fmt::format("{:.3f}", values[i]));
  }
  return format_table(rows);
}

Json time_json(const std::vector<Score>& kept, const std::vector<float>& values, double step) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % kept.size() == 0)
      rows.push_back({{"seconds", static_cast<double>(i / kept.size()) * step}, {"scores", Json::array()}});
    rows.back()["scores"].push_back({{"label", kept[i % kept.size()].label}, {"score", values[i]}});
  }
  return rows;
}

// What --plot and --activation ask for; `segment` is the first that counts.
void draw(const Options& options, const std::string& path, TrainedNetwork& trained, const std::vector<float>& segment,
          const std::vector<Score>& scores, const std::vector<float>& values) {
  const std::string title = std::filesystem::path(path).filename().string();
  const double step = segment_seconds(trained.config);
  if (!options.plot.empty() && options.time) {
    plots::TimePicture picture{.title = title, .scores = values, .step_seconds = step};
    for (const Score& score : scores) picture.tags.push_back(score.label);
    plots::plot_over_time(options.plot, picture);
  } else if (!options.plot.empty()) {
    const std::string extension = std::filesystem::path(path).extension().string();
    require(extension != ".npy" && extension != ".png",
            "{}: --plot draws recordings, and of features their scores, with --time", path);
    std::vector<std::pair<std::string, float>> labels;
    for (const Score& score : scores) labels.emplace_back(score.label, score.probability);
    draw_audio_picture(options.plot, path, trained.config.frontend, labels);
  }
  if (options.activation.empty()) return;
  const Shape& input = trained.config.input;
  require(input.rank() == 3, "--activation: for networks on spectrograms, and this one takes {}", input.to_string());
  const std::vector<int64_t> first{0};
  const Batch batch =
      make_batch({.input = input, .inputs = segment, .labels = {0}, .clip = {0}, .clips = 1}, first, Device::cpu);
  const Score& best = scores.front();
  const ClassActivation map = interpolate(
      class_activation(trained.network, batch.inputs, static_cast<int64_t>(best.index)), input[0], input[1]);
  const bool picture = trained.config.frontend.kind == FeatureKind::key_spectrogram;
  plots::plot_class_activation(options.activation,
                               {.title = fmt::format("{}: {} {:.3f}", title, best.label, best.probability),
                                .features = {batch.inputs.data<float>(), input[0], input[1], picture},
                                .activation = {map.values, map.rows, map.columns, picture},
                                .seconds = picture ? 0 : step});
}

void run(const Options& options) {
  const Device device = use_device(options);
  SegmentChoice choice{};
  try {
    choice = parse_enum<SegmentChoice>("--segment", options.segment);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  TrainedNetwork trained = load_trained(options.run, {}, device);
  const std::vector<std::string> files = expand_inputs(options.audio, trained.config);
  if ((!options.plot.empty() || !options.activation.empty()) && files.size() != 1)
    throw UsageError("--plot and --activation draw one file; give one");
  const double step = segment_seconds(trained.config);
  Json object{{"files", Json::array()}};
  for (const std::string& path : files) {
    const Prediction prediction = predict_file(trained, path, choice);
    const std::vector<float>& each = prediction.each;
    std::vector<Score> scores = scores_of(trained.config, prediction);
    const Score best = scores.front();
    keep_best(scores, options);
    const std::vector<float> values = along_time(scores, each, trained.config.labels.size());
    Json list = Json::array();
    std::vector<std::vector<std::string>> rows{{"label", "probability"}};
    for (const Score& score : scores) {
      list.push_back({{"label", score.label}, {"score", score.probability}});
      rows.push_back({score.label, fmt::format("{:.3f}", score.probability)});
    }
    object["files"].push_back({{"file", path}, {"segments", prediction.segments}, {"scores", list}});
    if (options.time) object["files"].back()["time"] = time_json(scores, values, step);
    if (!options.json) {
      fmt::print("{}: {}\n{}\n", path, counted(prediction.segments, trained.config), format_table(rows));
      if (options.time && !scores.empty()) fmt::print("{}\n", time_table(scores, values, step));
    }
    if (scores.empty()) scores.push_back(best);  // a picture shows what came nearest to the threshold
    draw(options, path, trained, prediction.first, scores,
         values.empty() ? along_time(scores, each, trained.config.labels.size()) : values);
    for (const std::string& picture : {options.plot, options.activation})
      if (!options.json && !picture.empty()) fmt::print("drawn to {}\n", picture);
  }
  if (options.json) print_json(object);
}

}  // namespace

void add_predict_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("predict", "labels with probabilities for audio files");
  auto options = std::make_shared<Options>();
  command->add_option("RUN", options->run, "the run's folder")->required();
  command
      ->add_option("AUDIO", options->audio,
                   "audio files, folders of them, features in .npy, or key spectrograms in .png")
      ->required();
  command->add_option("--top", options->top, "how many labels to print")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--threshold", options->threshold, "only labels at least as probable")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--segment", options->segment, "all (averaged), middle (the sixth of ten) or first")
      ->capture_default_str();
  command->add_option("--plot", options->plot, "draw the file and the prediction, or with --time the scores, to a PNG");
  command->add_option("--activation", options->activation,
                      "draw to a PNG where the first segment speaks for its label");
  command->add_flag("--time", options->time, "also the scores of each segment, along the file");
  add_device_options(*command, *options);
  add_json_option(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace melgrad
