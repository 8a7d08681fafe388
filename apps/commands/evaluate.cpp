// melgrad evaluate: how good a run's best weights are on a split of a data set.
#include <fmt/format.h>

#include <memory>

#include "apps/command.h"
#include "apps/plots/plots.h"
#include "apps/report_evaluation.h"
#include "apps/run_folder.h"

namespace melgrad {
namespace {

struct Options : CommonOptions {
  std::string run, data, plot;
  std::string split = "test";
  std::vector<std::string> settings;
  bool baseline = false;
};

void run(const Options& options) {
  const Device device = use_device(options);
  TrainedNetwork trained = load_trained(options.run, options.settings, device);
  const Config& config = trained.config;
  LoadedData data = load_data(config, options.data);
  fit_labels(data, config);
  require(data.labels == config.labels, "{}: its labels are not those that {} was trained on", options.data,
          options.run);
  const Samples& samples = split_of(data, options.split);
  require(samples.size() > 0, "{}: no samples in the {} split", options.data, options.split);
  const Evaluation evaluation =
      evaluate(trained.network, samples, loss_options(config.train), config.train.batch, data.whole_clips);
  Json object = evaluation_json(evaluation, options.split, static_cast<int64_t>(data.skipped.size()), data.protocol);
  double centroid = 0;
  require(evaluation.single_label || (!options.baseline && options.plot.empty()),
          "evaluate: --baseline and --plot are for data with one class a sample");
  if (options.baseline) {
    centroid =
        nearest_centroid_accuracy(data.train, samples, static_cast<int64_t>(data.labels.size()), data.whole_clips);
    object["nearest_centroid"] = centroid;
  }
  if (!options.plot.empty()) {
    const std::string title = fmt::format("{}, {} split: accuracy {:.3f}", network_name(config), options.split,
                                          evaluation.confusion.accuracy());
    plots::plot_confusion(options.plot, title, data.labels, [&](int64_t truth, int64_t predicted) {
      return evaluation.confusion.count(truth, predicted);
    });
  }
  if (options.json) return print_json(object);
  fmt::print("{}\nsplit: {}\n", evaluation_line(evaluation, options.split), data.protocol);
  if (evaluation.single_label) fmt::print("\n{}", confusion_table(evaluation.confusion, data.labels));
  if (options.baseline) fmt::print("\nnearest centroid on mean features: accuracy {:.3f}\n", centroid);
  if (!options.plot.empty()) fmt::print("\nconfusion matrix drawn to {}\n", options.plot);
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
  command->add_flag("--baseline", options->baseline, "also the nearest-centroid classifier on mean features");
  command->add_option("--plot", options->plot, "draw the confusion matrix to this PNG");
  add_device_options(*command, *options);
  add_json_option(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace melgrad
