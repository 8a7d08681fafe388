#include "apps/config.h"

#include <toml++/toml.h>

#include <sstream>

#include "models/recipes.h"
#include "models/registry.h"
#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

// A scalar of TOML as the text that option_from_text reads.
std::string scalar_text(const std::string& key, const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  throw UsageError(fmt::format("{}: expected a number, a text, true or false", key));
}

[[noreturn]] void refuse_key(const std::string& section, const std::string& key, const std::string& known) {
  throw UsageError(fmt::format("unknown key '{}.{}'; [{}] has {}", section, key, section, known));
}

template <class Options>
void set_known(Options& options, const std::string& section, const std::string& key, const std::string& text) {
  if (!set_option(options, section, key, text)) refuse_key(section, key, option_names<Options>());
}

void set_model(Config& config, const std::string& key, const std::string& text) {
  if (key == "name") {
    config.model = unquoted(text);
    return;
  }
  option_from_text("model." + key, text, config.model_options[key]);
}

std::string format_branches(const std::vector<std::vector<LayerTable>>& branches);

// A value of a [[layer]] table as TOML writes it: numbers, texts in quotes, and lists of them.
std::string layer_value(const std::string& key, const toml::node& node) {
  const auto* list = node.as_array();
  if (list == nullptr) return node.is_string() ? in_quotes(scalar_text(key, node)) : scalar_text(key, node);
  std::string text;
  for (const toml::node& item : *list) text += (text.empty() ? "" : ", ") + layer_value(key, item);
  return "[" + text + "]";
}

std::vector<LayerTable> read_layers(const std::string& key, const toml::node& node) {
  const auto* list = node.as_array();
  if (list == nullptr) throw UsageError(fmt::format("{}: expected tables, such as [[{}]]", key, key));
  std::vector<LayerTable> layers;
  for (const toml::node& item : *list) {
    const auto* table = item.as_table();
    if (table == nullptr) throw UsageError(fmt::format("{}: expected tables, such as [[{}]]", key, key));
    LayerTable& layer = layers.emplace_back();
    for (const auto& [option, value] : *table) {
      const std::string name(option.str());
      if (name == "type") {
        layer.type = scalar_text("layer.type", value);
      } else if (name == "name") {
        layer.name = scalar_text("layer.name", value);
      } else if (name == "body") {
        layer.body = read_layers("layer.body", value);
      } else if (name == "shortcut") {
        layer.shortcut = read_layers("layer.shortcut", value);
      } else if (name == "branches") {
        const auto* branches = value.as_array();
        if (branches == nullptr) throw UsageError("layer.branches: expected a list of lists of tables");
        for (const toml::node& branch : *branches) layer.branches.push_back(read_layers("layer.branches", branch));
      } else {
        layer.options.emplace_back(name, layer_value("layer." + name, value));
      }
    }
    if (layer.type.empty()) throw UsageError(fmt::format("{} {}: no type", key, layers.size()));
  }
  return layers;
}

// A branch within a list: [{type = …, …}, …].
std::string format_inline(const std::vector<LayerTable>& layers) {
  std::string text;
  for (const LayerTable& layer : layers) {
    text += fmt::format("{}{{type = {}", text.empty() ? "" : ", ", in_quotes(layer.type));
    if (!layer.name.empty()) text += fmt::format(", name = {}", in_quotes(layer.name));
    for (const auto& [option, value] : layer.options) text += fmt::format(", {} = {}", option, value);
    if (!layer.body.empty()) text += ", body = " + format_inline(layer.body);
    if (!layer.shortcut.empty()) text += ", shortcut = " + format_inline(layer.shortcut);
    if (!layer.branches.empty()) text += ", branches = " + format_branches(layer.branches);
    text += "}";
  }
  return "[" + text + "]";
}

std::string format_branches(const std::vector<std::vector<LayerTable>>& branches) {
  std::string text;
  for (const std::vector<LayerTable>& branch : branches) text += (text.empty() ? "" : ", ") + format_inline(branch);
  return "[" + text + "]";
}

// "[[layer]]\n…", and for the tables inside it "[[layer.body]]\n…".
std::string format_layers(const std::string& key, const std::vector<LayerTable>& layers) {
  std::string text;
  for (const LayerTable& layer : layers) {
    text += fmt::format("\n[[{}]]\ntype = {}\n", key, in_quotes(layer.type));
    if (!layer.name.empty()) text += fmt::format("name = {}\n", in_quotes(layer.name));
    for (const auto& [option, value] : layer.options) text += fmt::format("{} = {}\n", option, value);
    if (!layer.branches.empty()) text += "branches = " + format_branches(layer.branches) + "\n";
    text += format_layers(key + ".body", layer.body) + format_layers(key + ".shortcut", layer.shortcut);
  }
  return text;
}

std::vector<ParameterGroup> read_groups(const toml::node& node) {
  const auto* list = node.as_array();
  if (list == nullptr || !list->is_homogeneous(toml::node_type::table))
    throw UsageError("train.group: expected tables, such as [[train.group]]");
  std::vector<ParameterGroup> groups;
  for (const toml::node& item : *list) {
    ParameterGroup& group = groups.emplace_back();
    for (const auto& [key, value] : *item.as_table()) {
      const std::string name(key.str());
      set_known(group, "train.group", name, scalar_text("train.group." + name, value));
    }
  }
  return groups;
}

void set_key(Config& config, const std::string& section, const std::string& key, const std::string& text) {
  if (section == "model") {
    set_model(config, key, text);
  } else if (section == "frontend") {
    if (key == "preset") {
      const FrontendPreset& preset = find_preset(std::string(unquoted(text)));
      config.frontend = preset.options;
      if (preset.clip) apply_clip(*preset.clip, config.data);
    } else {
      set_known(config.frontend, section, key, text);
    }
  } else if (section == "data") {
    set_known(config.data, section, key, text);
  } else if (section == "augment") {
    set_known(config.augment, section, key, text);
  } else if (section == "train") {
    set_known(config.train, section, key, text);
  } else {
    throw UsageError(fmt::format("unknown section '{}' of key '{}.{}'; there is model, frontend, data, augment, train",
                                 section, section, key));
  }
}

void apply_table(Config& config, const toml::table& table) {
  // The preset first: other keys, of [data] too, change what it gives.
  if (const toml::node* preset = table.at_path("frontend.preset").node(); preset != nullptr)
    set_key(config, "frontend", "preset", scalar_text("frontend.preset", *preset));
  for (const auto& [section, node] : table) {
    if (section == "layer") {
      config.layers = read_layers("layer", node);
      continue;
    }
    const auto* keys = node.as_table();
    if (keys == nullptr) throw UsageError(fmt::format("'{}' stands outside a section", section.str()));
    const std::string section_name(section.str());
    for (const auto& [key, value] : *keys) {
      const std::string key_name(key.str());
      if (section_name == "frontend" && key_name == "preset") continue;
      if (section_name == "train" && key_name == "group") {
        config.train.groups = read_groups(value);
        continue;
      }
      set_key(config, section_name, key_name, scalar_text(section_name + "." + key_name, value));
    }
  }
}

toml::table parse_toml(std::string_view text, const std::string& name) {
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    throw UsageError(fmt::format("{}: line {}: {}", name, error.source().begin.line, error.description()));
  }
}

void apply_settings(Config& config, const std::vector<std::string>& settings) {
  for (const std::string& setting : settings) {
    const auto equals = setting.find('=');
    const auto dot = setting.find('.');
    if (equals == std::string::npos || dot == std::string::npos || dot > equals)
      throw UsageError(fmt::format("--set {}: expected section.key=value, such as train.batch=16", setting));
    set_key(config, setting.substr(0, dot), setting.substr(dot + 1, equals - dot - 1), setting.substr(equals + 1));
  }
}

// Runs `body`; any complaint about keys, names or values is bad usage, with `where` before it.
template <class Body>
void as_usage(const std::string& where, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    throw UsageError(where + error.what());
  }
}

void validate(const Config& config) {
  if (config.model.empty() == config.layers.empty())
    throw UsageError(config.model.empty() ? "no network: expected model.name, or [[layer]] tables"
                                          : "two networks: model.name and [[layer]] tables");
  config.layers.empty() ? make_model(config.model, 2, config.model_options) : make_network(config.layers);
  validate(config.frontend);
  validate(config.data);
  validate(config.augment);
  validate(config.train);
}

std::string recipe_text(const std::string& name_or_path) {
  for (const Recipe& recipe : recipes())
    if (recipe.name == name_or_path) return std::string(recipe.text);
  if (name_or_path.ends_with(".toml")) {
    try {
      return read_file(name_or_path, 1 << 20);
    } catch (const Error& error) {
      throw UsageError(fmt::format("recipe {}", error.what()));
    }
  }
  std::string known;
  for (const Recipe& recipe : recipes()) known += fmt::format("{}{}", known.empty() ? "" : ", ", recipe.name);
  throw UsageError(
      fmt::format("unknown recipe '{}'; there is {}, or give the path of a .toml file", name_or_path, known));
}

}  // namespace

Config load_recipe(const std::string& name_or_path, const std::vector<std::string>& settings) {
  Config config;
  config.recipe = name_or_path;
  const std::string text = recipe_text(name_or_path);
  as_usage(fmt::format("recipe {}: ", name_or_path), [&] { apply_table(config, parse_toml(text, name_or_path)); });
  as_usage("", [&] {
    apply_settings(config, settings);
    validate(config);
  });
  return config;
}

std::string format_config(const Config& config) {
  std::string text = fmt::format("recipe = {}\n", in_quotes(config.recipe));
  text += "labels = [";
  for (std::size_t i = 0; i < config.labels.size(); ++i)
    text += fmt::format("{}{}", i > 0 ? ", " : "", in_quotes(config.labels[i]));
  text += "]\ninput = [";
  for (int64_t axis = 0; axis < config.input.rank(); ++axis)
    text += fmt::format("{}{}", axis > 0 ? ", " : "", config.input[axis]);
  text += "]\n";
  if (config.layers.empty()) {
    text += fmt::format("\n[model]\nname = {}\n", in_quotes(config.model));
    for (const auto& [option, value] : config.model_options) text += fmt::format("{} = {}\n", option, value);
  }
  text += format_layers("layer", config.layers);
  text += "\n[frontend]\n" + format_options(config.frontend);
  text += "\n[data]\n" + format_options(config.data);
  text += "\n[augment]\n" + format_options(config.augment);
  text += "\n[train]\n" + format_options(config.train);
  for (const ParameterGroup& group : config.train.groups) text += "\n[[train.group]]\n" + format_options(group);
  return text;
}

std::string network_name(const Config& config) {
  return config.model.empty() ? std::filesystem::path(config.recipe).stem().string() : config.model;
}

void save_run_config(const std::filesystem::path& folder, const Config& config) {
  write_file_atomically(folder / "config.toml", format_config(config));
}

Config load_run_config(const std::filesystem::path& folder, const std::vector<std::string>& settings) {
  const auto path = folder / "config.toml";
  require(std::filesystem::exists(path), "{}: not a run folder (no config.toml); make one with melgrad train --out {}",
          folder.string(), folder.string());
  Config config;
  toml::table table = parse_toml(read_file(path, 1 << 24), path.string());
  config.recipe = table["recipe"].value_or(std::string());
  if (const toml::array* labels = table["labels"].as_array()) {
    for (const toml::node& label : *labels) config.labels.push_back(label.value_or(std::string()));
  }
  if (const toml::array* input = table["input"].as_array()) {
    for (const toml::node& size : *input) config.input.append(size.value_or(int64_t{0}));
  }
  require(!config.labels.empty() && config.input.rank() > 0, "{}: no labels or no input shape; the run is damaged",
          path.string());
  for (const char* key : {"recipe", "labels", "input"}) table.erase(key);
  try {
    apply_table(config, table);
  } catch (const Error& error) {
    fail("{}: {}", path.string(), error.what());
  }
  as_usage("", [&] {
    apply_settings(config, settings);
    validate(config);
  });
  return config;
}

}  // namespace melgrad
