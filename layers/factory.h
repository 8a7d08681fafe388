// Layers by name, with their options as text: what [[layer]] tables of a recipe are.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "layers/sequential.h"

namespace melgrad {

// One [[layer]] table. `type` is the layer's class in snake case; options are its options struct's fields, their values
// as TOML writes them (kernels/options.h, layers/option_text.h). `residual` has `body` and perhaps `shortcut`,
// `checkpoint` a `body`, `parallel` its `branches`.
struct LayerTable {
  std::string type{};
  std::string name{};  // empty: <type>_<n>
  std::vector<std::pair<std::string, std::string>> options{};
  std::vector<LayerTable> body{}, shortcut{};
  std::vector<std::vector<LayerTable>> branches{};
};

// The types that there are, sorted.
std::vector<std::string> layer_types();

// Throws Error naming the layer for an unknown type or option (it lists those there are) or a value that cannot be.
std::unique_ptr<Layer> make_layer(const LayerTable& table);
Sequential make_network(const std::vector<LayerTable>& tables);

}  // namespace melgrad
