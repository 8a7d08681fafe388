// melgrad evaluate: how good a run's best weights are on a split of a data set.
#include <fmt/format.h>

#include <memory>

#include "apps/command.h"
#include "apps/run_pictures.h"
#include "apps/report_evaluation.h"
#include "apps/run_folder.h"

namespace melgrad {
namespace {

struct Options : CommonOptions {
  std::string run, data, plot;
  std::string split = "test";
  double threshold = 0.5;
  std::vector<std::string> settings;
  bool baseline = false;
  CacheOptions cache;
};

void run(const Options& options) {
  const Device device = use_device(options);
  TrainedNetwork trained = load_trained(options.run, options.settings, device);
  use_cache(options.cache, trained.config.data.cache);
  const Config& config = trained.config;
  LoadedData data = load_data(config, options.data);
  fit_labels(data, config);
  require(data.labels == config.labels, "{}: its labels are not those that {} was trained on", options.data,
          options.run);
  const Samples& samples = split_of(data, options.split);
  require(samples.size() > 0, "{}: no samples in the {} split", options.data, options.split);
  if (samples.input != config.input)
    fail("{}: gives {} a sample, and the network takes {}", options.data, samples.input.to_string(),
         config.input.to_string());
  const LossOptions loss = loss_options(config.train);
  const Evaluation evaluation = evaluate(trained.network, samples, loss, config.train.batch, data.whole_clips);
  const Protocol protocol = protocol_of(data, options.split, options.threshold);
  Json object = evaluation_json(evaluation, protocol);
  std::string text = options.json ? "" : evaluation_text(evaluation, protocol);
  if (options.baseline) {
    require(data.train.size() > 0, "--baseline: {} has no training samples to take the mean of", options.data);
    const Evaluation centroid =
        evaluate_centroid(data.train, samples, loss, trained.network.output_shape()[0], data.whole_clips);
    const Json measured = evaluation_json(centroid, protocol);
    for (const char* key : {"accuracy", "mirex", "roc_auc", "pr_auc"})
      if (measured.contains(key)) {
        object["nearest_centroid"][key] = measured[key];
        text += fmt::format("\nnearest centroid on mean features: {} {:.3f}", key, measured[key].get<double>());
      }
    text += "\n";
  }
  if (!options.plot.empty()) {
    draw_evaluation(options.plot, network_name(config), evaluation, protocol);
    text += fmt::format("\ndrawn to {}\n", options.plot);
  }
  if (options.json) return print_json(object);
  fmt::print("{}", text);
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("evaluate", "measure a run's best weights on a split of a data set");
  auto options = std::make_shared<Options>();
  command->add_option("RUN", options->run, "the run's folder")->required();
  command->add_option("--data", options->data, "the data set's folder")->required();
  command->add_option("--split", options->split, "train, valid or test")
      ->check(CLI::IsMember({"train", "valid", "test"}))
      ->capture_default_str();
  command->add_option("--set", options->settings, "section.key=value, over the run's")->allow_extra_args(false);
  command->add_option("--threshold", options->threshold, "tags count as predicted from this score on")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_flag("--baseline", options->baseline, "also the nearest-centroid classifier on mean features");
  command->add_option("--plot", options->plot, "a PNG: the confusion matrix, or tags with their top-K curves");
  add_cache_options(*command, options->cache);
  add_device_options(*command, *options);
  add_json_option(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace melgrad
