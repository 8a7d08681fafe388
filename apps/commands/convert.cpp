// melgrad convert WEIGHTS: a run folder from weights that were trained elsewhere.
#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <fstream>
#include <memory>

#include "apps/checkpoint.h"
#include "apps/command.h"
#include "apps/run_folder.h"
#include "models/interchange/keras_weights.h"
#include "models/recipes.h"
#include "models/registry.h"
#include "tensor/io/safetensors.h"

namespace melgrad {
namespace {

struct Options : CommonOptions {
  std::string weights, model, recipe, labels, map, out, order = "tensorflow";
  std::vector<int64_t> input;
  std::vector<std::string> settings;
};

// The first recipe that trains this model: it says which features the network is given.
std::string recipe_of(const std::string& model) {
  try {
    find_model(model);
  } catch (const Error& error) {
    throw UsageError(fmt::format("convert: {}", error.what()));
  }
  for (const Recipe& recipe : recipes())
    if (load_recipe(std::string(recipe.name), {}).model == model) return std::string(recipe.name);
  throw UsageError(fmt::format("convert: no recipe trains '{}'; name one with --recipe, by name or path", model));
}

std::vector<std::string> read_labels(const std::filesystem::path& path) {
  std::ifstream file(path);
  require(file.good(), "{}: cannot be read; expected one label a line", path.string());
  std::vector<std::string> labels;
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) labels.push_back(line);
  }
  require(!labels.empty(), "{}: no labels; expected one a line", path.string());
  return labels;
}

// keras_layer = "network_layer", one a line, as TOML.
LayerMapping read_mapping(const std::filesystem::path& path) {
  LayerMapping mapping;
  try {
    for (const auto& [key, value] : toml::parse_file(path.string())) {
      const auto* name = value.as_string();
      require(name != nullptr, "{}: '{}' is no text; expected keras_layer = \"network_layer\"", path.string(),
              key.str());
      mapping[std::string(key.str())] = name->get();
    }
  } catch (const toml::parse_error& error) {
    fail("{}: line {}: {}", path.string(), error.source().begin.line, error.description());
  }
  require(!mapping.empty(), "{}: maps nothing", path.string());
  return mapping;
}

Config make_config(const Options& options) {
  if (options.model.empty() == options.recipe.empty())
    throw UsageError("convert: expected either --model NAME or --recipe R, which say what network the weights are of");
  Config config = load_recipe(options.recipe.empty() ? recipe_of(options.model) : options.recipe, options.settings);
  for (int64_t size : options.input) config.input.append(size);
  int64_t classes = 0;
  if (!config.model.empty()) {
    const ModelDescription& description = find_model(config.model);
    if (options.input.empty()) config.input = description.input;
    classes = description.classes;
  } else {
    if (options.input.empty())
      throw UsageError("convert: a network of [[layer]] tables needs --input, the shape of a sample");
    classes = make_network(config.layers).build(config.input).numel();
  }
  if (!options.labels.empty()) {
    config.labels = read_labels(options.labels);
  } else {
    for (int64_t c = 0; c < classes; ++c) config.labels.push_back(std::to_string(c));
  }
  return config;
}

void run_convert(const Options& options) {
  const Config config = make_config(options);
  const auto order = [&] {
    try {
      return parse_enum<KernelOrder>("--kernel-order", options.order);
    } catch (const Error& error) {
      throw UsageError(error.what());
    }
  }();
  const std::filesystem::path out = options.out;
  require(!std::filesystem::exists(out / "config.toml"), "{}: holds a run already; name a new folder", options.out);
  Sequential network = build_network(config, Device::cpu);
  require(network.output_shape().numel() == static_cast<int64_t>(config.labels.size()),
          "{} labels and {} outputs of the network; give one label a line for each", config.labels.size(),
          network.output_shape().numel());
  const bool safetensors = options.weights.ends_with(".safetensors");
  const auto values = safetensors ? load_safetensors(options.weights).tensors
                                  : from_keras(network, read_keras_file(options.weights), order,
                                               options.map.empty() ? LayerMapping{} : read_mapping(options.map));
  network.load(values, options.weights);
  std::filesystem::create_directories(out);
  save_weights(out / "best.safetensors", network, {{"converted_from", options.weights}});
  save_run_config(out, config);
  if (options.json) {
    print_json({{"run", options.out}, {"model", network_name(config)}, {"parameters", network.parameter_count()}});
  } else {
    fmt::print("{}: {} with {} parameters of {}\n", options.out, network_name(config), network.parameter_count(),
               options.weights);
  }
}

}  // namespace

void add_convert_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("convert", "a run folder from weights that were trained elsewhere");
  auto options = std::make_shared<Options>();
  command->add_option("WEIGHTS", options->weights, "a Keras .h5 file (the older format), or .safetensors")->required();
  command->add_option("--model", options->model, "a model's name; see melgrad models");
  command->add_option("--recipe", options->recipe, "a recipe's name or path, for the network and its features");
  command->add_option("--labels", options->labels, "a text file, one label a line, in the order of the outputs");
  command->add_option("--input", options->input, "the shape of a sample, such as 1366,96,1; the model's own by default")
      ->delimiter(',');
  command->add_option("--kernel-order", options->order, "tensorflow, or theano: (out, in, h, w) and flipped")
      ->capture_default_str();
  command->add_option("--map", options->map, "TOML, keras_layer = \"network_layer\": pairs by name, not by order");
  command->add_option("--set", options->settings, "section.key=value");
  command->add_option("--out", options->out, "the run folder to make")->required();
  add_json_option(*command, *options);
  command->callback([options] { run_convert(*options); });
}

}  // namespace melgrad
