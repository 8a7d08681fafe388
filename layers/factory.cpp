#include "layers/factory.h"

#include <map>

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/blocks.h"
#include "layers/conv1d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/gru.h"
#include "layers/pooling.h"
#include "layers/reshape.h"
#include "layers/zero_padding.h"

namespace melgrad {
namespace {

template <class Options>
Options read_options(const LayerTable& table) {
  Options options;
  for (const auto& [key, text] : table.options) {
    if (set_option(options, table.type, key, text)) continue;
    const std::string known = option_names<Options>();
    fail("{}: unknown option '{}'; it has {}", table.type, key, known.empty() ? "none" : known);
  }
  return options;
}

// Throws for parts that layers of this type do not have.
void expect_parts(const LayerTable& table, bool body, bool shortcut, bool branches) {
  require(body || table.body.empty(), "{}: has no body", table.type);
  require(shortcut || table.shortcut.empty(), "{}: has no shortcut", table.type);
  require(branches || table.branches.empty(), "{}: has no branches", table.type);
}

template <class L>
std::unique_ptr<Layer> make(const LayerTable& table) {
  expect_parts(table, false, false, false);
  return std::make_unique<L>(read_options<typename L::Options>(table));
}

std::unique_ptr<Layer> make_residual(const LayerTable& table) {
  expect_parts(table, true, true, false);
  require(!table.body.empty(), "residual: no body; give it as body = [{{type = …}}, …]");
  return std::make_unique<Residual>(make_network(table.body), make_network(table.shortcut),
                                    read_options<ResidualOptions>(table));
}

std::unique_ptr<Layer> make_checkpoint(const LayerTable& table) {
  expect_parts(table, true, false, false);
  require(!table.body.empty(), "checkpoint: no body; give it as body = [{{type = …}}, …]");
  require(table.options.empty(), "checkpoint: it has no options");
  return std::make_unique<Checkpoint>(make_network(table.body));
}

std::unique_ptr<Layer> make_parallel(const LayerTable& table) {
  expect_parts(table, false, false, true);
  require(!table.branches.empty(), "parallel: no branches; give them as branches = [[{{type = …}}, …], …]");
  std::vector<Sequential> branches;
  for (const std::vector<LayerTable>& branch : table.branches) branches.push_back(make_network(branch));
  return std::make_unique<Parallel>(std::move(branches), read_options<ParallelOptions>(table));
}

const std::map<std::string, std::unique_ptr<Layer> (*)(const LayerTable&)>& makers() {
  static const std::map<std::string, std::unique_ptr<Layer> (*)(const LayerTable&)> all{
      {"activation", make<ActivationLayer>},
      {"average_pool1d", make<AveragePool1D>},
      {"average_pool2d", make<AveragePool2D>},
      {"batch_norm", make<BatchNorm>},
      {"channel_dropout", make<ChannelDropout>},
      {"checkpoint", make_checkpoint},
      {"conv1d", make<Conv1D>},
      {"conv2d", make<Conv2D>},
      {"crop", make<Crop>},
      {"dense", make<Dense>},
      {"dropout", make<Dropout>},
      {"flatten", make<Flatten>},
      {"gaussian_noise", make<GaussianNoise>},
      {"global_average_pool", make<GlobalAveragePool>},
      {"global_max_pool", make<GlobalMaxPool>},
      {"gru", make<Gru>},
      {"max_pool1d", make<MaxPool1D>},
      {"max_pool2d", make<MaxPool2D>},
      {"parallel", make_parallel},
      {"permute", make<Permute>},
      {"reflect_padding", make<ReflectPadding>},
      {"reshape", make<Reshape>},
      {"residual", make_residual},
      {"squeeze_excitation", make<SqueezeExcitation>},
      {"zero_padding1d", make<ZeroPadding1D>},
      {"zero_padding2d", make<ZeroPadding2D>},
  };
  return all;
}

}  // namespace

std::vector<std::string> layer_types() {
  std::vector<std::string> types;
  for (const auto& [type, maker] : makers()) types.push_back(type);
  return types;
}

std::unique_ptr<Layer> make_layer(const LayerTable& table) {
  const auto found = makers().find(table.type);
  if (found != makers().end()) return found->second(table);
  std::string known;
  for (const std::string& type : layer_types()) known += (known.empty() ? "" : ", ") + type;
  fail("unknown layer type '{}'; there is {}", table.type, known);
}

Sequential make_network(const std::vector<LayerTable>& tables) {
  Sequential network;
  for (const LayerTable& table : tables) network.add_layer(make_layer(table), table.name);
  return network;
}

}  // namespace melgrad
