// melgrad models, recipes, presets: the names that other commands take.
#include <fmt/format.h>

#include <memory>

#include "apps/command.h"
#include "apps/config.h"
#include "apps/table.h"
#include "models/recipes.h"
#include "models/registry.h"

namespace melgrad {
namespace {

struct Named {
  std::string name;
  std::string description;
};

std::vector<Named> list_models() {
  std::vector<Named> list;
  for (const ModelDescription& model : model_descriptions()) list.push_back({model.name, model.description});
  return list;
}

// A recipe describes itself in the first line of its comment.
std::vector<Named> list_recipes() {
  std::vector<Named> list;
  for (const Recipe& recipe : recipes()) {
    std::string line(recipe.text.substr(0, recipe.text.find('\n')));
    line.erase(0, line.find_first_not_of("# "));
    list.push_back({std::string(recipe.name), line});
  }
  return list;
}

std::vector<Named> list_presets() {
  std::vector<Named> list;
  for (const FrontendPreset& preset : frontend_presets()) list.push_back({preset.name, preset.description});
  return list;
}

void add_list(CLI::App& app, const std::string& what, const std::string& help, std::vector<Named> (*list)()) {
  CLI::App* command = app.add_subcommand(what, help);
  auto common = std::make_shared<CommonOptions>();
  add_json_option(*command, *common);
  command->callback([common, what, list] {
    if (common->json) {
      Json object{{what, Json::array()}};
      for (const Named& entry : list())
        object[what].push_back({{"name", entry.name}, {"description", entry.description}});
      return print_json(object);
    }
    std::vector<std::vector<std::string>> rows{{"name", "description"}};
    for (const Named& entry : list()) rows.push_back({entry.name, entry.description});
    fmt::print("{}", format_table(rows));
  });
}

}  // namespace

void add_list_commands(CLI::App& app) {
  add_list(app, "models", "the networks that recipes and summary can name", list_models);
  add_list(app, "recipes", "the published protocols that train can follow", list_recipes);
  add_list(app, "presets", "the audio frontends that features and recipes can name", list_presets);
}

}  // namespace melgrad
