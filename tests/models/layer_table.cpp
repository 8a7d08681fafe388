#include "tests/models/layer_table.h"

#include <doctest/doctest.h>

#include "models/registry.h"

namespace melgrad::test {

std::string layer_table(const Sequential& network) {
  std::string table;
  for (const Sequential::Entry& entry : network.layers()) {
    int64_t parameters = 0;
    for (const NamedTensor& named : entry.layer->state()) parameters += named.tensor.numel();
    table += fmt::format("{} {} {}\n", entry.name, entry.output.to_string(), parameters);
  }
  return table;
}

void check_layers(const std::string& model, int64_t parameters, int64_t trainable, const std::string& table) {
  const ModelDescription& description = find_model(model);
  Sequential network = make_model(model, description.classes);
  CHECK(network.build(description.input) == Shape{description.classes});
  CHECK(fmt::format("\n{}", layer_table(network)) == table);
  CHECK(network.parameter_count() == parameters);
  CHECK(network.trainable_count() == trainable);
}

}  // namespace melgrad::test
