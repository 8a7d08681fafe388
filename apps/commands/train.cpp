// melgrad train: a recipe and a data set become a run folder.
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <sstream>

#include "apps/command.h"
#include "apps/event_file.h"
#include "apps/plots/plots.h"
#include "apps/progress.h"
#include "apps/report_evaluation.h"
#include "apps/run_folder.h"
#include "apps/run_pictures.h"
#include "apps/trainer.h"
#include "tensor/io/atomic_file.h"
#include "tensor/io/safetensors.h"

namespace melgrad {
namespace {

struct Options : CommonOptions {
  std::string recipe, data, out, init;
  std::vector<std::string> settings;
  bool resume = false, no_fuse = false;
  CacheOptions cache;
  int workers = 1;
};

std::atomic<bool> stop_requested = false;

// The first Ctrl-C ends the step and saves; the second kills, as people expect.
void on_interrupt(int) {
  stop_requested = true;
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

// What must not change between the start of a run and its resumption: everything but how long it goes on.
std::string settled_part(Config config) {
  const bool planned =
      config.train.schedule == ScheduleKind::cosine || config.train.schedule == ScheduleKind::one_cycle;
  if (!planned) config.train.epochs = 1;
  config.train.patience = 0;
  config.data.cache = "none";
  config.labels.clear();
  config.input = {};
  return format_config(config);
}

// Names the first line in which two configurations differ.
std::string first_difference(const std::string& before, const std::string& now) {
  std::size_t start = 0;
  while (start < before.size() && start < now.size()) {
    const std::string a = before.substr(start, before.find('\n', start) - start);
    const std::string b = now.substr(start, now.find('\n', start) - start);
    if (a != b) return fmt::format("'{}' there, '{}' now", a, b);
    start += a.size() + 1;
  }
  return "its length";
}

Config configure(const Options& options) {
  const std::filesystem::path out(options.out);
  const bool exists = std::filesystem::exists(out / "config.toml");
  if (!options.resume) {
    if (options.recipe.empty()) throw UsageError("train: --recipe is required; melgrad recipes lists them");
    require(!exists, "{}: there is a run already; go on with --resume, or choose another --out", options.out);
    return load_recipe(options.recipe, options.settings);
  }
  if (!exists) {
    if (options.recipe.empty())
      throw UsageError(fmt::format("train: {} holds no run to resume; give --recipe to start one", options.out));
    return load_recipe(options.recipe, options.settings);
  }
  const Config saved = load_run_config(out);
  Config now =
      options.recipe.empty() ? load_run_config(out, options.settings) : load_recipe(options.recipe, options.settings);
  now.labels = saved.labels;
  now.input = saved.input;
  const std::string before = settled_part(saved), after = settled_part(now);
  require(before == after, "{}: the run was started with other settings: {}", options.out,
          first_difference(before, after));
  return now;
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

TrainingEvents make_events(const Config& config, std::unique_ptr<ProgressBar>& bar, const std::filesystem::path& out) {
  const int64_t epochs = config.train.epochs;
  const std::size_t digits = std::to_string(epochs).size();
  TrainingEvents events;
  events.on_step = [&bar, epochs, digits](int64_t epoch, int64_t done, int64_t total, double loss) {
    if (!bar)
      bar = std::make_unique<ProgressBar>(fmt::format("epoch {:>{}}/{}", epoch, digits, epochs), total, "samples");
    bar->update(done, fmt::format("loss {:.4f}", loss));
  };
  auto timing = std::make_shared<std::string>("epoch\tseconds\n");
  auto curves = std::make_shared<EventFile>(out, seconds_since_1970());
  events.on_epoch = [&bar, epochs, digits, timing, curves, out](const EpochResult& result) {
    bar.reset();
    fmt::print(stderr,
               "epoch {:>{}}/{}  train loss {:.4f} accuracy {:.3f}  valid loss {:.4f} accuracy {:.3f}  {:.1f} s{}\n",
               result.epoch, digits, epochs, result.train_loss, result.train_accuracy, result.valid_loss,
               result.valid_accuracy, result.seconds, result.best ? "  best" : "");
    *timing += fmt::format("{}\t{:.3f}\n", result.epoch, result.seconds);
    write_file_atomically(out / "timing.tsv", *timing);
    curves->add(seconds_since_1970(), result.epoch,
                {{"loss/train", result.train_loss},
                 {"loss/valid", result.valid_loss},
                 {"accuracy/train", result.train_accuracy},
                 {"accuracy/valid", result.valid_accuracy},
                 {"seconds/epoch", result.seconds}});
  };
  return events;
}

Json train_json(const Options& options, const Config& config, const TrainingSummary& summary) {
  const double rate = summary.seconds > 0 ? static_cast<double>(summary.samples) / summary.seconds : 0;
  return {{"run", options.out},         {"model", network_name(config)},     {"device", options.device},
          {"epochs", summary.epochs},   {"best_epoch", summary.best_epoch},  {"seconds", summary.seconds},
          {"samples_per_second", rate}, {"interrupted", summary.interrupted}};
}

void announce(const LoadedData& data, const Sequential& network, const Config& config) {
  fmt::print(stderr, "{}: {} parameters; training on {} samples, validating on {}, {} left for the test\n",
             network_name(config), network.parameter_count(), data.train.size(), data.valid.size(), data.test.size());
  fmt::print(stderr, "split: {}\n", data.protocol);
}

// log.tsv as a picture.
void draw_training(const std::filesystem::path& picture, const std::string& title, const Progress& progress) {
  plots::TrainingCurve loss{.name = "loss", .train = {}, .valid = {}},
      accuracy{.name = "accuracy", .train = {}, .valid = {}};
  std::istringstream log(progress.log);
  std::string header;
  std::getline(log, header);
  for (double epoch, train_loss, train_accuracy, valid_loss, valid_accuracy;
       log >> epoch >> train_loss >> train_accuracy >> valid_loss >> valid_accuracy;) {
    loss.train.push_back({epoch, train_loss});
    loss.valid.push_back({epoch, valid_loss});
    accuracy.train.push_back({epoch, train_accuracy});
    accuracy.valid.push_back({epoch, valid_accuracy});
  }
  plots::plot_training(picture, title, {loss, accuracy}, progress.best_epoch + 1);
}

// Best weights on validation and test data, as evaluate does it.
void report(const Options& options, const Config& config, const LoadedData& data, const TrainingSummary& summary,
            Device device) {
  TrainedNetwork best = load_trained(options.out, {}, device);
  Json object = train_json(options, config, summary);
  for (const char* split : {"valid", "test"}) {
    const Samples& samples = split_of(data, split);
    if (samples.size() == 0) continue;
    const Evaluation evaluation =
        evaluate(best.network, samples, loss_options(config.train), config.train.batch, data.whole_clips);
    const Protocol protocol = protocol_of(data, split);
    object[split] = evaluation_json(evaluation, protocol);
    fmt::print(stderr, "{}\n", evaluation_line(evaluation, protocol));
    write_file_atomically(std::filesystem::path(options.out) / fmt::format("{}.json", split),
                          object[split].dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    if (evaluation.kind != TargetKind::values)
      draw_evaluation(std::filesystem::path(options.out) / fmt::format("{}.png", split), network_name(config), evaluation,
                      protocol);
  }
  if (config.frontend.kind == FeatureKind::waveform && best.network.layers().front().layer->type() == "conv1d")
    draw_filters(std::filesystem::path(options.out) / "filters.png", network_name(config), best.network,
                 config.frontend.sample_rate);
  if (options.json) print_json(object);
}

void run(const Options& options) {
  Config config = configure(options);
  config.train.fuse = !options.no_fuse;
  const Device device = use_device(options);
  use_cache(options.cache, config.data.cache);
  LoadedData data = load_data(config, options.data, Purpose::training);
  fit_labels(data, config);
  require(config.labels.empty() || config.labels == data.labels, "{}: its labels are not those of {}", options.out,
          options.data);
  config.labels = data.labels;
  config.input = data.train.input;
  if (data.train.size() == 0)
    fail("{}: no samples to train on (split: {}); lower data.test and data.valid", options.data, data.protocol);
  require(data.valid.size() > 0 || config.data.reader == Reader::arrays, "{}: no validation samples; raise data.valid",
          options.data);
  Sequential network = build_network(config, device);
  if (!options.init.empty()) network.load(load_safetensors(options.init).tensors, options.init);

  const std::filesystem::path out(options.out);
  std::error_code error;
  std::filesystem::create_directories(out, error);
  require(!error, "{}: cannot make the folder: {}", options.out, error.message());
  Trainer trainer(network, config.train, data.train, data.valid, out,
                  {.augment = config.augment, .workers = options.workers});
  if (options.resume) {
    if (trainer.resume()) {
      fmt::print(stderr, "resuming {} at epoch {}, step {}\n", options.out, trainer.progress().epoch + 1,
                 trainer.progress().step_in_epoch + 1);
    } else {
      fmt::print(stderr, "{} holds no checkpoint yet: starting anew\n", options.out);
    }
  }
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  save_run_config(out, config);
  announce(data, network, config);

  std::unique_ptr<ProgressBar> bar;
  const TrainingSummary summary = trainer.run(make_events(config, bar, out), stop_requested);
  bar.reset();
  if (summary.interrupted) {
    if (options.json) print_json(train_json(options, config, summary));
    fail("stopped and saved; go on with: melgrad train --resume --out {} --data {}", options.out, options.data);
  }
  draw_training(out / "training.png", network_name(config) + " on " + options.data, trainer.progress());
  report(options, config, data, summary, device);
}

}  // namespace

void add_train_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("train", "train a recipe's network on a data set");
  auto options = std::make_shared<Options>();
  command->add_option("--recipe", options->recipe, "a recipe's name, or a .toml file");
  command->add_option("--data", options->data, "the data set's folder")->required();
  command->add_option("--out", options->out, "the run's folder, made if need be")->required();
  command->add_option("--init", options->init, "start from these weights (.safetensors)");
  command->add_option("--set", options->settings, "section.key=value, over the recipe's")->allow_extra_args(false);
  command->add_flag("--resume", options->resume, "go on where the run in --out stopped");
  command->add_flag("--no-fuse", options->no_fuse, "run every layer by itself: slower, equal to rounding");
  command->add_option("--workers", options->workers, "threads that make batches ahead of the training; 0: none")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  add_cache_options(*command, options->cache);
  add_device_options(*command, *options);
  add_json_option(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace melgrad
