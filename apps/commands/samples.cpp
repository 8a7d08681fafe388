// melgrad samples DATA --label L: what a class or tag of a data set looks like.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "apps/command.h"
#include "apps/config.h"
#include "apps/plots/plots.h"
#include "audio/reader.h"
#include "audio/segments.h"

namespace melgrad {
namespace {

struct Options : CommonOptions {
  std::string data, label, out = "samples.png", recipe;
  std::vector<std::string> settings;
  std::size_t count = 4;
};

struct Sheet {
  std::string name;
  Features features;
  double seconds;
};

// The first clips with the label that can be read; what cannot is passed over.
std::vector<Sheet> find_sheets(const Options& options, const Config& config, const ClipList& list, int32_t label) {
  std::vector<Sheet> sheets;
  const Frontend frontend(config.frontend);
  for (const Clip& clip : list.clips) {
    if (sheets.size() == options.count) break;
    if (std::ranges::find(clip.labels, label) == clip.labels.end()) continue;
    try {
      const std::vector<float> samples = load_clip(clip.path, frontend, config.data);
      const double seconds = static_cast<double>(samples.size()) / static_cast<double>(config.frontend.sample_rate);
      sheets.push_back({clip.name, frontend.compute(samples), seconds});
    } catch (const Error& error) {
      fmt::print(stderr, "passed over: {}\n", error.what());
    }
  }
  return sheets;
}

// The recipe's, or log-mel spectrograms of whatever layout the data have.
Config configure(const Options& options) {
  if (!options.recipe.empty()) return load_recipe(options.recipe, options.settings);
  std::vector<std::string> settings{"data.split=random-tracks",
                                    fmt::format("data.reader={}", name_of(layout_of(options.data)))};
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  return load_recipe("mtat-tagger", settings);
}

void run(const Options& options) {
  const Config config = configure(options);
  const ClipList list = read_clips(options.data, config.data);
  const auto found = std::ranges::find(list.labels, options.label);
  if (found == list.labels.end()) {
    std::string known;
    for (const std::string& label : list.labels) known += (known.empty() ? "" : ", ") + label;
    throw UsageError(fmt::format("--label {}: the data have {}", options.label, known));
  }
  const auto label = static_cast<int32_t>(found - list.labels.begin());
  const std::vector<Sheet> sheets = find_sheets(options, config, list, label);
  require(!sheets.empty(), "{}: no clip of '{}' can be read", options.data, options.label);
  const bool grey = config.frontend.kind == FeatureKind::key_spectrogram;
  plots::SheetPicture picture{.title = fmt::format("{}: {} of {}", options.label, sheets.size(), options.data)};
  for (const Sheet& sheet : sheets)
    picture.sheets.push_back(
        {sheet.name, {sheet.features.values, sheet.features.frames, sheet.features.bins, grey}, sheet.seconds});
  plots::plot_sheet(options.out, picture);
  if (!options.json) {
    fmt::print("{} spectrograms of {} drawn to {}\n", sheets.size(), options.label, options.out);
    return;
  }
  Json object{{"label", options.label}, {"out", options.out}, {"clips", Json::array()}};
  for (const Sheet& sheet : sheets) object["clips"].push_back(sheet.name);
  print_json(object);
}

}  // namespace

void add_samples_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("samples", "a sheet of spectrograms of a class or tag");
  auto options = std::make_shared<Options>();
  command->add_option("DATA", options->data, "the data set's folder")->required();
  command->add_option("--label", options->label, "the class or tag")->required();
  command->add_option("--count", options->count, "how many")->check(CLI::Range(1, 40))->capture_default_str();
  command->add_option(
      "--recipe", options->recipe,
      "whose reader and frontend to use; unless given, the layout that DATA shows and the frontend mtat");
  command->add_option("--set", options->settings, "section.key=value, over the recipe's")->allow_extra_args(false);
  command->add_option("--out", options->out, "the PNG to draw")->capture_default_str();
  add_json_option(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace melgrad
