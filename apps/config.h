// What a run is made of: a recipe, and what --set has changed of it. Written to the run's config.toml.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "apps/train_options.h"
#include "audio/augment_options.h"
#include "audio/data_options.h"
#include "audio/frontend_options.h"
#include "layers/factory.h"

namespace melgrad {

// Bad usage: the program exits with status 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

struct Config {
  std::string recipe;  // its name or path
  std::string model;   // one of the registry; or none, and `layers` in its place
  std::map<std::string, double> model_options;
  std::vector<LayerTable> layers;  // [[layer]] tables
  FrontendOptions frontend;
  DataOptions data;
  AugmentOptions augment;
  TrainOptions train;

  // Known once the data has been read; a run's config.toml has them.
  std::vector<std::string> labels;
  Shape input;  // of the network, without the batch
};

// A recipe that comes with the program, by name, or a .toml file, by path; then `settings`, each "section.key=value".
// Throws UsageError for an unknown recipe, key or value.
Config load_recipe(const std::string& name_or_path, const std::vector<std::string>& settings);

// The config.toml of a run folder, with settings on top; throws Error if `folder` is no run.
Config load_run_config(const std::filesystem::path& folder, const std::vector<std::string>& settings = {});
void save_run_config(const std::filesystem::path& folder, const Config& config);

std::string format_config(const Config& config);

// The model's name, for people; of [[layer]] tables the recipe's.
std::string network_name(const Config& config);

}  // namespace melgrad
