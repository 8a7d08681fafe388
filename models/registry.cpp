#include "models/registry.h"

#include "models/gtzan_cnn.h"

namespace melgrad {

const std::vector<ModelDescription>& model_descriptions() {
  static const std::vector<ModelDescription> descriptions{
      {.name = "gtzan-cnn",
       .description = "genre of 3 s of music from 130 x 13 MFCC: 3 blocks of conv, pool, batch norm; 2 dense layers",
       .input = {130, 13, 1},
       .classes = 10,
       .options = {{"dropout", 0.3, "rate of the dropout before the last layer"}},
       .make =
           [](int64_t classes, const std::map<std::string, double>& values) {
             return gtzan_cnn({.classes = classes, .dropout = values.at("dropout")});
           }},
  };
  return descriptions;
}

const ModelDescription& find_model(const std::string& name) {
  std::string known;
  for (const ModelDescription& description : model_descriptions()) {
    if (description.name == name) return description;
    known += (known.empty() ? "" : ", ") + description.name;
  }
  fail("unknown model '{}'; there is {}", name, known);
}

Sequential make_model(const std::string& name, int64_t classes, const std::map<std::string, double>& options) {
  const ModelDescription& description = find_model(name);
  std::map<std::string, double> values;
  std::string known;
  for (const ModelOption& option : description.options) {
    values[option.name] = option.value;
    known += (known.empty() ? "" : ", ") + option.name;
  }
  for (const auto& [option, value] : options) {
    require(values.contains(option), "model.{}: '{}' has no such option; it has {}", option, name, known);
    values[option] = value;
  }
  return description.make(classes, values);
}

}  // namespace melgrad
