// Each layer's output and gradients, f64, against Keras's and PyTorch's (tests/golden/make_layer_cases.py); the layers are
// made from tables, as a recipe makes them. And what holds of all of them: batches without samples.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "layers/blocks.h"
#include "layers/factory.h"
#include "tensor/autograd.h"
#include "tensor/io/safetensors.h"
#include "tests/tensor/gradient_check.h"

namespace melgrad {
namespace {

using test::all_close;
using test::values_of;
using Options = std::vector<std::pair<std::string, std::string>>;

constexpr double f32 = 1e-6;  // where Keras works in float32, whatever it is given

struct GoldenCase {
  std::string name;
  LayerTable table;
  double tolerance = 1e-12;
};

const LayerTable dense_tanh{.type = "dense", .options = {{"units", "3"}, {"activation", "tanh"}}};
const LayerTable dense_linear{.type = "dense", .options = {{"units", "3"}}};
const LayerTable dense_elu{.type = "dense", .options = {{"units", "4"}, {"activation", "elu"}}};
const LayerTable dense_four{.type = "dense", .options = {{"units", "4"}}};

LayerTable table(const std::string& type, const Options& options = {}) {
  return {.type = type, .options = options};
}

LayerTable parallel(const std::string& join) {
  return {.type = "parallel", .options = {{"join", join}}, .branches = {{dense_tanh}, {dense_linear}}};
}

std::vector<GoldenCase> golden_cases() {
  std::vector<GoldenCase> cases{
      {"conv1d_same",
       table("conv1d",
             {{"filters", "5"}, {"kernel", "4"}, {"stride", "3"}, {"padding", "same"}, {"activation", "elu"}})},
      {"conv1d_dilated",
       table("conv1d",
             {{"filters", "5"}, {"kernel", "3"}, {"dilation", "3"}, {"padding", "same"}, {"activation", "tanh"}})},
      {"conv1d_groups",
       table("conv1d", {{"filters", "6"}, {"kernel", "3"}, {"groups", "2"}, {"activation", "sigmoid"}})},
      {"conv1d_depthwise", table("conv1d", {{"filters", "8"}, {"kernel", "3"}, {"groups", "4"}, {"padding", "same"}})},
      {"conv2d_dilated",
       table("conv2d", {{"filters", "3"}, {"kernel", "[2, 3]"}, {"dilation", "[3, 2]"}, {"activation", "leaky_relu"}})},
      {"conv2d_groups",
       table("conv2d",
             {{"filters", "6"}, {"kernel", "[3, 2]"}, {"stride", "[1, 2]"}, {"groups", "2"}, {"padding", "same"}})},
      {"conv2d_depthwise",
       table("conv2d",
             {{"filters", "4"}, {"kernel", "3"}, {"groups", "4"}, {"padding", "same"}, {"activation", "relu"}})},
      {"conv2d_explicit",
       table("conv2d",
             {{"filters", "5"}, {"kernel", "[3, 2]"}, {"stride", "[2, 1]"}, {"padding", "[[2, 1], [0, 1]]"}})},
      {"dense_on_sequence", table("dense", {{"units", "3"}, {"activation", "softmax"}}), f32},
      {"average_pool2d_window",
       table("average_pool2d",
             {{"pool", "[3, 2]"}, {"stride", "[2, 1]"}, {"padding", "[[1, 1], [1, 1]]"}, {"over", "window"}})},
      {"global_average_pool", table("global_average_pool"), f32},
      {"global_max_pool", table("global_max_pool")},
      {"max_over_time", table("global_max_pool", {{"over", "time"}})},
      {"mean_over_time", table("global_average_pool", {{"over", "time"}})},
      {"gru", table("gru", {{"units", "3"}})},
      {"gru_sequences", table("gru", {{"units", "3"}, {"return_sequences", "true"}})},
      {"gru_before", table("gru", {{"units", "3"}, {"reset_after", "false"}, {"recurrent_activation", "hard_sigmoid"}}),
       f32},
      {"activation_leaky_relu_slope", table("activation", {{"function", "leaky_relu"}, {"alpha", "0.03"}})},
      {"activation_elu_alpha", table("activation", {{"function", "elu"}, {"alpha", "0.4"}})},
      {"permute", table("permute", {{"order", "[3, 1, 2]"}})},
      {"reshape", table("reshape", {{"shape", "[-1, 8]"}})},
      {"flatten", table("flatten")},
      {"zero_padding1d", table("zero_padding1d", {{"padding", "[2, 1]"}})},
      {"zero_padding2d", table("zero_padding2d", {{"padding", "[[1, 2], [0, 3]]"}})},
      {"reflect_padding", table("reflect_padding", {{"before", "3"}, {"after", "2"}})},
      {"crop", table("crop", {{"before", "[1, 0]"}, {"after", "[2, 3]"}})},
      {"squeeze_excitation", table("squeeze_excitation", {{"ratio", "0.5"}})},
      {"residual", {.type = "residual", .options = {{"activation", "relu"}}, .body = {dense_elu}}},
      {"residual_shortcut", {.type = "residual", .body = {dense_elu}, .shortcut = {dense_four}}},
      {"parallel_add", parallel("add")},
      {"parallel_multiply", parallel("multiply")},
      {"parallel_concatenate", parallel("concatenate")},
  };
  for (const std::string rule : {"same", "valid"}) {
    const Options windows{{"pool", "3"}, {"stride", "2"}, {"padding", rule}};
    cases.push_back({"max_pool1d_" + rule, table("max_pool1d", windows)});
    cases.push_back({"average_pool1d_" + rule, table("average_pool1d", windows)});
    cases.push_back({"average_pool2d_" + rule,
                     table("average_pool2d", {{"pool", "[3, 2]"}, {"stride", "[2, 1]"}, {"padding", rule}})});
  }
  for (const auto& entry : enum_names<ActivationFunction>)
    cases.push_back({fmt::format("activation_{}", entry.second),
                     table("activation", {{"function", std::string(entry.second)}}),
                     entry.first == ActivationFunction::hard_sigmoid ? f32 : 1e-12});
  for (int axis = 1; axis <= 3; ++axis)
    cases.push_back(
        {fmt::format("batch_norm_axis_{}", axis), table("batch_norm", {{"axis", fmt::format("{}", axis)}})});
  return cases;
}

const std::map<std::string, Tensor>& golden() {
  static const TensorFile file = load_safetensors(std::filesystem::path(MELGRAD_TEST_DATA) / "layer_cases.safetensors");
  return file.tensors;
}

std::unique_ptr<Layer> built(const LayerTable& table, const Shape& input, DType dtype = DType::f64) {
  std::unique_ptr<Layer> layer = make_layer(table);
  BuildContext context({.dtype = dtype});
  layer->build(input, context);
  return layer;
}

void check_golden(const GoldenCase& c) {
  INFO(c.name);
  const auto expected = [&](const std::string& what) { return golden().at(c.name + "/" + what); };
  const auto layer = built(c.table, expected("x").shape().without_batch());
  std::set<std::string> names;
  for (NamedTensor& named : layer->state()) {
    if (!named.trainable) continue;
    names.insert(named.name);
    const Tensor values = expected("weight/" + named.name);
    REQUIRE_MESSAGE(named.tensor.shape() == values.shape(), named.name);
    std::copy_n(values.data<double>().begin(), values.numel(), named.tensor.mutable_data<double>().begin());
  }
  for (const auto& [key, tensor] : golden())  // none is left over
    if (const std::string prefix = c.name + "/weight/"; key.starts_with(prefix))
      CHECK_MESSAGE(names.contains(key.substr(prefix.size())), key);
  const Tensor x = expected("x").clone().set_requires_grad();
  const Tensor y = layer->forward(x, {.training = true});
  REQUIRE(y.shape() == expected("y").shape());
  CHECK(all_close(values_of(y), values_of(expected("y")), c.tolerance));
  backward(y, expected("r"));
  CHECK(all_close(values_of(x.grad()), values_of(expected("dx")), c.tolerance));
  for (const NamedTensor& named : layer->state()) {
    if (!named.trainable) continue;
    INFO(named.name);
    CHECK(all_close(values_of(named.tensor.grad()), values_of(expected("gradient/" + named.name)), c.tolerance));
  }
}

TEST_CASE("every layer's output and gradients are Keras's and PyTorch's") {
  for (const GoldenCase& c : golden_cases()) check_golden(c);
}

TEST_CASE("every type of layer has a golden case, or a reason") {
  std::set<std::string> covered{
      "conv2d",     "max_pool2d",                         // layers_test.cpp too
      "dropout",    "channel_dropout", "gaussian_noise",  // random: their own tests
      "checkpoint",                                       // below
  };
  for (const GoldenCase& c : golden_cases()) covered.insert(c.table.type);
  for (const std::string& type : layer_types()) CHECK_MESSAGE(covered.contains(type), type);
}

TEST_CASE("a batch without samples goes through every layer, and back") {
  for (const GoldenCase& c : golden_cases()) {
    if (c.table.type == "batch_norm") continue;  // no samples, no statistics: an error, below
    INFO(c.name);
    const Shape input = golden().at(c.name + "/x").shape().without_batch();
    for (DType dtype : {DType::f32, DType::f64}) {
      const auto layer = built(c.table, input, dtype);
      const Tensor x = Tensor::empty(input.with_batch(0), dtype).set_requires_grad();
      const Tensor y = layer->forward(x, {.training = true});
      CHECK(y.shape() == golden().at(c.name + "/y").shape().without_batch().with_batch(0));
      backward(y, Tensor::empty_like(y));
      CHECK(x.grad().shape() == x.shape());
      for (const NamedTensor& named : layer->state())
        CHECK(values_of(named.tensor.grad()) == std::vector<double>(named.tensor.numel(), 0.0));
    }
  }
  const auto norm = built(table("batch_norm"), {3});
  CHECK_THROWS_AS(norm->forward(Tensor::empty({0, 3}, DType::f64), {.training = true}), Error);
  CHECK(norm->forward(Tensor::empty({0, 3}, DType::f64)).shape() == Shape{0, 3});
}

TEST_CASE("a checkpoint layer trains to the same bits, through dropout and batch norm") {
  const std::vector<LayerTable> body{table("conv1d", {{"filters", "6"}, {"padding", "same"}, {"activation", "relu"}}),
                                     table("batch_norm"), table("dropout", {{"rate", "0.5"}}),
                                     table("dense", {{"units", "2"}, {"activation", "tanh"}})};
  std::vector<std::map<std::string, Tensor>> results;
  for (bool checkpointed : {false, true}) {
    Sequential network;
    if (checkpointed) {
      network.add_layer(make_layer({.type = "checkpoint", .body = body}), "part");
    } else {
      network.add(make_network(body), "part");
    }
    network.build({10, 3}, {.seed = 5});
    CHECK(network.activation() == ActivationFunction::tanh);
    Tensor x = Tensor::full({4, 10, 3}, 0.5).set_requires_grad();
    const Tensor y = network.forward(x, {.training = true, .seed = 5, .step = 3});
    backward(y, Tensor::full(y.shape(), 0.7));
    results.push_back(network.values());
    for (const NamedTensor& named : network.parameters())
      results.back()[named.name + " gradient"] = named.tensor.grad();
    results.back()["dx"] = x.grad();
  }
  REQUIRE(results[0].size() == results[1].size());
  for (const auto& [name, tensor] : results[0])
    CHECK_MESSAGE(values_of(results[1].at(name)) == values_of(tensor), name);
}

TEST_CASE("branches, bodies and ends refuse what does not fit") {
  const auto error = [](const LayerTable& table, const Shape& input) -> std::string {
    try {
      built(table, input);
    } catch (const Error& e) {
      return e.what();
    }
    return "none";
  };
  CHECK(error({.type = "parallel", .branches = {{dense_four}, {dense_tanh}}}, {5, 4}) ==
        "parallel: branch 2 gives (5, 3), those before it (5, 4); add needs equal ones");
  CHECK(error({.type = "parallel", .branches = {{}, {dense_four}}}, {5, 4}) == "none");
  CHECK(error({.type = "parallel", .options = {{"join", "concatenate"}, {"axis", "1"}}, .branches = {{}, {dense_four}}},
              {5, 4}) == "none");
  CHECK(error({.type = "parallel", .options = {{"join", "concatenate"}, {"axis", "0"}}, .branches = {{}, {dense_four}}},
              {5, 4}) == "parallel: axis 0 of 3 with the batch; expected one behind it");
  CHECK(error({.type = "parallel"}, {4}) == "parallel: no branches; give them as branches = [[{type = …}, …], …]");
  CHECK(error({.type = "checkpoint"}, {4}) == "checkpoint: no body; give it as body = [{type = …}, …]");
  CHECK(error({.type = "dense", .body = {dense_four}}, {4}) == "dense: has no body");
  CHECK(error({.type = "residual", .body = {dense_four}, .branches = {{dense_four}}}, {4}) ==
        "residual: has no branches");
  CHECK(error(table("reflect_padding", {{"before", "[1, 1]"}}), {4}) ==
        "reflect_padding: amounts for 2 axes, and the input has 1");
  CHECK(error(table("crop", {{"before", "-1"}}), {4}) == "crop: -1 elements, expected 0 or more");
  CHECK(error(table("reflect_padding", {{"after", "4"}}), {4}) ==
        "reflect_padding: reflecting 0 and 4 elements needs more than 4 of them");
  CHECK(error(table("crop", {{"before", "2"}, {"after", "2"}}), {4}) == "crop: 2 and 2 elements of 4 leave nothing");
  CHECK(error(table("activation", {{"function", "relu"}, {"alpha", "0.1"}}), {4}) ==
        "activation: alpha 0.1, expected 0 or more, of leaky_relu or elu");
  CHECK(error(table("activation", {{"function", "elu"}, {"alpha", "-0.1"}}), {4}) ==
        "activation: alpha -0.1, expected 0 or more, of leaky_relu or elu");
  // Two branches of different widths lie side by side.
  const auto wide = built(
      {.type = "parallel", .options = {{"join", "concatenate"}}, .branches = {{dense_four}, {}, {dense_tanh}}}, {5, 4});
  CHECK(wide->forward(Tensor::zeros({2, 5, 4}, DType::f64)).shape() == Shape{2, 5, 11});
  CHECK(wide->flops({5, 4}) == 2 * 5 * 4 * (4 + 3));
}

}  // namespace
}  // namespace melgrad
