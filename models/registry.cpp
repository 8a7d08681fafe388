#include "models/registry.h"

#include <cmath>

#include "layers/batch_norm.h"
#include "models/choi_crnn.h"
#include "models/choi_fcn.h"
#include "models/fma_cnn.h"
#include "models/gtzan_cnn.h"
#include "models/key_cnn.h"
#include "models/key_kw17.h"
#include "models/mtat_cnn.h"
#include "models/sample_cnn.h"

namespace melgrad {
namespace {

using Values = std::map<std::string, double>;

// Of an option that is a whole number.
int64_t whole(const Values& values, const std::string& option) {
  const double value = values.at(option);
  require(value == std::floor(value) && std::abs(value) < 1e15, "model.{}: {} is not a whole number", option, value);
  return static_cast<int64_t>(value);
}

constexpr const char* dropout_help = "rate of the dropout before the last layer";

std::vector<ModelDescription> key_models() {
  return {
      {.name = "key-cnn",
       .description = "key from a grey picture of the spectrogram, 88 x 88: 4 convolutions 2 x 2, mean, dense",
       .input = {88, 88, 1},
       .classes = 24,
       .options = {},
       .make = [](int64_t classes, const Values&) { return key_cnn({.classes = classes}); }},
      {.name = "key-kw17",
       .description = "key from a log-frequency spectrogram: 5 convolutions, each frame projected, mean over time",
       .input = {100, 105, 1},
       .classes = 24,
       .options = {},
       .make = [](int64_t classes, const Values&) { return key_kw17({.classes = classes}); }},
  };
}

std::vector<ModelDescription> genre_models() {
  return {
      {.name = "fma-cnn",
       .description = "genre of half a minute from 1024 x 128 mel: 5 blocks of conv, batch norm, pool; mean, dense",
       .input = {1024, 128, 1},
       .classes = 8,
       .options = {{"dropout", 0.3, dropout_help}},
       .make = [](int64_t classes,
                  const Values& values) { return fma_cnn({.classes = classes, .dropout = values.at("dropout")}); }},
      {.name = "gtzan-cnn",
       .description = "genre of 3 s of music from 130 x 13 MFCC: 3 blocks of conv, pool, batch norm; 2 dense layers",
       .input = {130, 13, 1},
       .classes = 10,
       .options = {{"dropout", 0.3, dropout_help}},
       .make = [](int64_t classes,
                  const Values& values) { return gtzan_cnn({.classes = classes, .dropout = values.at("dropout")}); }},
  };
}

ModelDescription mtat_model(const std::string& name, const std::string& convolutions,
                            Sequential (*make)(const MtatCnnOptions&)) {
  return {.name = name,
          .description = "188 tags of 29 s from 683 x 48 mel: " + convolutions + " convolutions and pools, softmax",
          .input = {683, 48, 1},
          .classes = 188,
          .options = {},
          .make = [make](int64_t classes, const Values&) { return make({.classes = classes}); }};
}

ModelDescription choi_fcn_model(const std::string& name, const std::string& blocks,
                                Sequential (*make)(const ChoiFcnOptions&)) {
  return {.name = name,
          .description = "50 tags of 29 s from 1366 x 96 mel: " + blocks + " blocks of conv, batch norm, ELU, pool",
          .input = {1366, 96, 1},
          .classes = 50,
          .options = {},
          .make = [make](int64_t classes, const Values&) { return make({.classes = classes}); }};
}

ModelDescription choi_crnn_model() {
  const ChoiCrnnOptions published;
  return {.name = "choi-crnn",
          .description = "50 tags of 29 s from 1366 x 96 mel: 4 blocks of conv, batch norm, ELU, pool; 2 GRU",
          .input = {1366, 96, 1},
          .classes = 50,
          .options = {{"dropout", published.dropout, dropout_help},
                      {"block_dropout", published.block_dropout, "rate of the dropout after each block"}},
          .make = [](int64_t classes, const Values& values) {
            return choi_crnn(
                {.classes = classes, .dropout = values.at("dropout"), .block_dropout = values.at("block_dropout")});
          }};
}

std::vector<ModelDescription> sample_models() {
  const SampleMnOptions mn;
  return {
      {.name = "sample-mn",
       .description = "tags from base^(depth + 1) raw samples: the family of samplecnn-strided, by base and depth",
       .input = {59049, 1},
       .classes = 50,
       .options = {{"base", static_cast<double>(mn.base), "samples of each kernel and pool"},
                   {"depth", static_cast<double>(mn.depth), "modules with a pool"},
                   {"dropout", mn.dropout, dropout_help}},
       .make =
           [](int64_t classes, const Values& values) {
             return sample_mn({.classes = classes,
                               .base = whole(values, "base"),
                               .depth = whole(values, "depth"),
                               .dropout = values.at("dropout")});
           }},
      {.name = "samplecnn",
       .description = "50 tags of 2.7 s of raw samples: 10 modules of conv 3, batch norm, pool 3",
       .input = {59049, 1},
       .classes = 50,
       .options = {{"dropout", SampleCnnOptions().dropout, dropout_help}},
       .make = [](int64_t classes,
                  const Values& values) { return sample_cnn({.classes = classes, .dropout = values.at("dropout")}); }},
      {.name = "samplecnn-strided",
       .description = "50 tags of 2.7 s of raw samples: a strided conv, then 9 modules of conv 3, batch norm, pool 3",
       .input = {59049, 1},
       .classes = 50,
       .options = {{"dropout", mn.dropout, dropout_help}},
       .make = [](int64_t classes,
                  const Values& values) { return sample_mn({.classes = classes, .dropout = values.at("dropout")}); }},
  };
}

// Calls body for each batch norm of a network that is a plain row of layers, as those of this folder are.
template <class Body>
void for_batch_norms(const Sequential& network, const Body& body) {
  for (const Sequential::Entry& entry : network.layers())
    if (auto* norm = dynamic_cast<BatchNorm*>(entry.layer.get())) body(*norm);
}

constexpr const char* momentum_option = "batch_norm_momentum";

// The option of all networks with batch norms. Their running statistics start from 0 and 1: with Keras's 0.99 some
// hundred steps must pass before inference sees what training sees.
void add_momentum_option(ModelDescription& description) {
  Values defaults;
  for (const ModelOption& option : description.options) defaults[option.name] = option.value;
  bool any = false;
  for_batch_norms(description.make(description.classes, defaults), [&](const BatchNorm&) { any = true; });
  if (any)
    description.options.push_back(
        {momentum_option, Momentum().keep, "what a step keeps of running statistics; 0.9 for trainings of few steps"});
}

// Sorted by name.
std::vector<ModelDescription> all_models() {
  std::vector<ModelDescription> all{choi_crnn_model(), choi_fcn_model("choi-fcn3", "3", choi_fcn3),
                                    choi_fcn_model("choi-fcn4", "4", choi_fcn4),
                                    choi_fcn_model("choi-fcn5", "5", choi_fcn5)};
  const auto append = [&](std::vector<ModelDescription> more) { all.insert(all.end(), more.begin(), more.end()); };
  append(genre_models());
  append(key_models());
  append({mtat_model("mtat-cnn", "3", mtat_cnn), mtat_model("mtat-cnn2", "4", mtat_cnn2),
          mtat_model("mtat-cnn3", "6", mtat_cnn3)});
  append(sample_models());
  for (ModelDescription& description : all) add_momentum_option(description);
  return all;
}

}  // namespace

const std::vector<ModelDescription>& model_descriptions() {
  static const std::vector<ModelDescription> descriptions = all_models();
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
  Values values;
  std::string known;
  for (const ModelOption& option : description.options) {
    values[option.name] = option.value;
    known += (known.empty() ? "" : ", ") + option.name;
  }
  for (const auto& [option, value] : options) {
    require(values.contains(option), "model.{}: '{}' has no such option; it has {}", option, name,
            known.empty() ? "none" : known);
    values[option] = value;
  }
  Sequential network = description.make(classes, values);
  if (values.contains(momentum_option))
    for_batch_norms(network, [&](BatchNorm& norm) { norm.set_momentum({values.at(momentum_option)}); });
  return network;
}

}  // namespace melgrad
