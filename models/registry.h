// The models that can be named on the command line and in recipes.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "layers/sequential.h"

namespace melgrad {

struct ModelOption {
  std::string name;
  double value;  // the default
  std::string description;
};

struct ModelDescription {
  std::string name;
  std::string description;  // one line
  Shape input;              // of the published protocol, without the batch
  int64_t classes;
  std::vector<ModelOption> options;  // where it has batch norms also their momentum: batch_norm_momentum
  // `values` has every option.
  std::function<Sequential(int64_t classes, const std::map<std::string, double>& values)> make;
};

const std::vector<ModelDescription>& model_descriptions();

// Throws Error listing the names there are.
const ModelDescription& find_model(const std::string& name);

// The network, not yet built. `options` overrides defaults; an unknown one is an error that lists the known.
Sequential make_model(const std::string& name, int64_t classes, const std::map<std::string, double>& options = {});

}  // namespace melgrad
