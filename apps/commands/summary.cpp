// melgrad summary MODEL|RUN: the network layer by layer.
#include <fmt/format.h>

#include <memory>

#include "apps/command.h"
#include "apps/network_table.h"
#include "apps/run_folder.h"
#include "apps/run_pictures.h"
#include "apps/table.h"
#include "models/registry.h"

namespace melgrad {
namespace {

struct Named {
  std::string name;
  Sequential network;
};

// A run folder, or else a model of the registry at its published input.
Named find_network(const std::string& what) {
  if (std::filesystem::exists(std::filesystem::path(what) / "config.toml")) {
    const Config config = load_run_config(what);
    return {network_name(config), build_network(config, Device::cpu)};
  }
  try {
    const ModelDescription& description = find_model(what);
    Named named{what, make_model(what, description.classes)};
    named.network.build(description.input);
    return named;
  } catch (const Error& error) {
    throw UsageError(fmt::format("summary: {}; or give the folder of a run", error.what()));
  }
}

void print_summary_json(const Named& named) {
  const Shape& input = named.network.input_shape();
  Json object{{"model", named.name},
              {"input", std::vector<int64_t>(input.begin(), input.end())},
              {"parameters", named.network.parameter_count()},
              {"trainable", named.network.trainable_count()},
              {"layers", Json::array()}};
  for (const Sequential::Entry& entry : named.network.layers()) {
    object["layers"].push_back({{"name", entry.name},
                                {"type", entry.layer->type()},
                                {"output_shape", std::vector<int64_t>(entry.output.begin(), entry.output.end())},
                                {"parameters", parameter_count(*entry.layer)},
                                {"flops", entry.layer->flops(entry.input)},
                                {"activation_bytes", entry.output.numel() * size_of(DType::f32)}});
  }
  print_json(object);
}

void print_summary(const Named& named) {
  int64_t bytes = 0;
  for (const Sequential::Entry& entry : named.network.layers()) bytes += entry.output.numel() * size_of(DType::f32);
  const int64_t parameters = named.network.parameter_count(), trainable = named.network.trainable_count();
  fmt::print("{}, input {}\n\n{}\n", named.name, named.network.input_shape().to_string(),
             format_table(network_rows(named.network)));
  fmt::print("parameters {}: {} trainable, {} not\n", with_commas(parameters), with_commas(trainable),
             with_commas(parameters - trainable));
  fmt::print("one sample forward: {} flops, {} bytes of activations\n",
             with_commas(named.network.flops(named.network.input_shape())), with_commas(bytes));
}

}  // namespace

void add_summary_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("summary", "a network layer by layer: shapes, parameters, flops, bytes");
  struct Options : CommonOptions {
    std::string what, filters;
  };
  auto options = std::make_shared<Options>();
  command->add_option("MODEL|RUN", options->what, "the name of a model, or the folder of a run")->required();
  command->add_option("--filters", options->filters, "draw a run's first-layer filters of raw samples to this PNG");
  add_json_option(*command, *options);
  command->callback([options] {
    const Named named = find_network(options->what);
    if (!options->filters.empty()) {
      const TrainedNetwork trained = load_trained(options->what, {}, Device::cpu);
      draw_filters(options->filters, options->what, trained.network, trained.config.frontend.sample_rate);
    }
    options->json ? print_summary_json(named) : print_summary(named);
  });
}

}  // namespace melgrad
