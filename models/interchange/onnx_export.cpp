#include "models/interchange/onnx_export.h"

#include <cmath>

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/blocks.h"
#include "layers/gru.h"
#include "models/interchange/onnx_layer.h"
#include "tensor/ops/movement.h"

namespace melgrad {

using namespace onnx;

namespace {

Value export_sequential(OnnxGraph& graph, const std::string& prefix, const Sequential& network, Value x);

// ---------------------------------------------------------------------------------------------------------------------
// Activation functions.

Value apply(OnnxGraph& graph, const std::string& name, ActivationFunction function, const Value& x) {
  const auto node = [&](const char* operation, const OnnxAttributes& attributes = {}) {
    return Value{graph.node(name + "." + std::string(name_of(function)), operation, {x.name}, attributes), x.shape,
                 x.channels_first};
  };
  switch (function) {
    case ActivationFunction::linear:
      return x;
    case ActivationFunction::relu:
      return node("Relu");
    case ActivationFunction::leaky_relu:
      return node("LeakyRelu", {{"alpha", 0.2f}});
    case ActivationFunction::elu:
      return node("Elu", {{"alpha", 1.0f}});
    case ActivationFunction::sigmoid:
      return node("Sigmoid");
    case ActivationFunction::hard_sigmoid:
      return node("HardSigmoid", {{"alpha", 1.0f / 6}, {"beta", 0.5f}});
    case ActivationFunction::hard_sigmoid_keras1:
      return node("HardSigmoid", {{"alpha", 0.2f}, {"beta", 0.5f}});
    case ActivationFunction::tanh:
      return node("Tanh");
    case ActivationFunction::softmax:
      return node("Softmax", {{"axis", int64_t{x.channels_first ? 1 : -1}}});
  }
  fail("onnx: an activation function without a name");
}

// ---------------------------------------------------------------------------------------------------------------------
// Layers with weights, and layers made of layers.

// Over another axis than the last, BatchNormalization would need more transposes than two element-wise operations cost.
Value batch_norm_over_axis(const Site& site, const Value& x, int64_t axis) {
  const std::vector<float> gamma = floats(site.tensor("gamma")), beta = floats(site.tensor("beta")),
                           mean = floats(site.tensor("running_mean")),
                           variance = floats(site.tensor("running_variance"));
  const double epsilon = site.as<BatchNorm>().options().epsilon;
  std::vector<float> scale, shift;
  for (std::size_t i = 0; i < gamma.size(); ++i) {
    const double factor = gamma[i] / std::sqrt(variance[i] + epsilon);
    scale.push_back(static_cast<float>(factor));
    shift.push_back(static_cast<float>(beta[i] - factor * mean[i]));
  }
  Shape broadcast{x.shape[axis - 1]};
  for (int64_t i = axis; i < x.shape.rank(); ++i) broadcast.append(1);
  OnnxGraph& graph = site.graph;
  const std::string scaled =
      graph.node(site.name + ".scaled", "Mul",
                 {to_channels_last(graph, x).name, graph.constant(site.name + ".scale", scale, broadcast)});
  return {graph.node(site.name, "Add", {scaled, graph.constant(site.name + ".shift", shift, broadcast)}), site.output,
          false};
}

Value batch_norm_node(const Site& site, const Value& x) {
  const BatchNormLayerOptions& options = site.as<BatchNorm>().options();
  if (options.axis != x.shape.rank()) return batch_norm_over_axis(site, x, options.axis);
  const Value first = to_channels_first(site.graph, x);
  std::vector<std::string> inputs{first.name};
  for (const char* name : {"gamma", "beta", "running_mean", "running_variance"})
    inputs.push_back(constant_of(site, name, site.tensor(name)));
  return {site.graph.node(site.name, "BatchNormalization", inputs, {{"epsilon", static_cast<float>(options.epsilon)}}),
          site.output, first.channels_first};
}

Value dense_node(const Site& site, const Value& x) {
  const Tensor weight = site.tensor("weight"), bias = site.tensor("bias");
  const std::string in = to_channels_last(site.graph, x).name, matrix = constant_of(site, "weight", weight);
  if (!bias.defined()) return {site.graph.node(site.name, "MatMul", {in, matrix}), site.output, false};
  const std::string added = constant_of(site, "bias", bias);
  if (x.shape.rank() == 1) return {site.graph.node(site.name, "Gemm", {in, matrix, added}), site.output, false};
  const std::string product = site.graph.node(site.name + ".product", "MatMul", {in, matrix});
  return {site.graph.node(site.name, "Add", {product, added}), site.output, false};
}

// ONNX's GRU has the gates in our order, z, r, h; matrices (1, 3u, in); a bias of the input's and the recurrent part;
// and the time before the batch.
Value gru_node(const Site& site, const Value& x) {
  const GruLayerOptions& options = site.as<Gru>().options();
  const int64_t u = options.units;
  const auto matrix = [&](const char* name) {
    const Tensor transposed = transpose(site.tensor(name).detach(), {1, 0});
    return constant_of(site, name, transposed.with_shape({1, 3 * u, transposed.shape()[1]}));
  };
  std::vector<float> bias = floats(site.tensor("bias"));
  bias.resize(static_cast<std::size_t>(6 * u), 0.0f);  // without reset_after there is no recurrent one
  OnnxAttributes attributes{{"hidden_size", u}, {"linear_before_reset", int64_t{options.reset_after}}};
  if (options.recurrent_activation == Activation::sigmoid) {
    attributes.emplace_back("activations", std::vector<std::string>{"Sigmoid", "Tanh"});
  } else {
    const bool keras1 = options.recurrent_activation == Activation::hard_sigmoid_keras1;
    attributes.emplace_back("activations", std::vector<std::string>{"HardSigmoid", "Tanh"});
    attributes.emplace_back("activation_alpha", std::vector<float>{keras1 ? 0.2f : 1.0f / 6});
    attributes.emplace_back("activation_beta", std::vector<float>{0.5f});
  }
  OnnxGraph& graph = site.graph;
  const std::vector<int64_t> swap{1, 0, 2};
  const std::string by_time =
      graph.node(site.name + ".by_time", "Transpose", {to_channels_last(graph, x).name}, {{"perm", swap}});
  const std::vector<std::string> inputs{by_time, matrix("kernel"), matrix("recurrent_kernel"),
                                        graph.constant(site.name + ".bias", bias, {1, 6 * u})};
  const auto squeeze = [&](const std::string& name, const std::string& from, int64_t axis) {
    return graph.node(name, "Squeeze", {from, graph.constant(name + ".axis", {axis})});
  };
  if (!options.return_sequences) {
    const std::string last = graph.node_output(site.name + ".last", "GRU", inputs, attributes, 1);  // (1, n, u)
    return {squeeze(site.name, last, 0), site.output, false};
  }
  const std::string all = graph.node(site.name + ".states", "GRU", inputs, attributes);  // (t, 1, n, u)
  return {graph.node(site.name, "Transpose", {squeeze(site.name + ".squeezed", all, 1)}, {{"perm", swap}}), site.output,
          false};
}

Value residual_node(const Site& site, const Value& x) {
  const auto& layer = site.as<Residual>();
  OnnxGraph& graph = site.graph;
  const Value from = to_channels_last(graph, x);
  const Value through = to_channels_last(graph, export_sequential(graph, site.name + ".body.", layer.body(), from));
  const Value around =
      layer.shortcut().layers().empty()
          ? from
          : to_channels_last(graph, export_sequential(graph, site.name + ".shortcut.", layer.shortcut(), from));
  return {graph.node(site.name, "Add", {around.name, through.name}), site.output, false};
}

Value squeeze_excitation_node(const Site& site, const Value& x) {
  OnnxGraph& graph = site.graph;
  const Value from = to_channels_last(graph, x);
  const Value gate = export_sequential(graph, site.name + ".", site.as<SqueezeExcitation>().gate(), from);
  std::vector<int64_t> sizes(static_cast<std::size_t>(x.shape.rank()) + 1, 1);
  sizes.front() = -1;
  sizes.back() = x.shape[-1];
  const std::string spread =
      graph.node(site.name + ".gate", "Reshape", {gate.name, graph.constant(site.name + ".gate_shape", sizes)});
  return {graph.node(site.name, "Mul", {from.name, spread}), site.output, false};
}

Value parallel_node(const Site& site, const Value& x) {
  const auto& layer = site.as<Parallel>();
  OnnxGraph& graph = site.graph;
  const Value from = to_channels_last(graph, x);
  std::vector<std::string> outputs;
  for (std::size_t i = 0; i < layer.branches().size(); ++i) {
    const std::string prefix = fmt::format("{}.branch_{}.", site.name, i + 1);
    outputs.push_back(to_channels_last(graph, export_sequential(graph, prefix, layer.branches()[i], from)).name);
  }
  if (layer.options().join == Join::concatenate)
    return {graph.node(site.name, "Concat", outputs, {{"axis", layer.options().axis}}), site.output, false};
  const std::string operation = layer.options().join == Join::add ? "Add" : "Mul";
  std::string joined = outputs[0];
  for (std::size_t i = 1; i < outputs.size(); ++i) joined = graph.node(site.name, operation, {joined, outputs[i]});
  return {joined, site.output, false};
}

// What only training does, and an activation function by itself.
Value nothing(const Site&, const Value& x) {
  return x;
}

Exporter exporter_of(std::string_view type) {
  static const Exporters others{
      {"activation", nothing},
      {"batch_norm", batch_norm_node},
      {"channel_dropout", nothing},
      {"dense", dense_node},
      {"dropout", nothing},
      {"gaussian_noise", nothing},
      {"gru", gru_node},
      {"parallel", parallel_node},
      {"residual", residual_node},
      {"squeeze_excitation", squeeze_excitation_node},
  };
  for (const Exporters* table : {&others, &window_exporters(), &movement_exporters()})
    if (const auto found = table->find(type); found != table->end()) return found->second;
  return nullptr;
}

// The layers of one that is nothing but these in a row.
const Sequential* layers_within(const Layer& layer) {
  if (const auto* checkpoint = dynamic_cast<const Checkpoint*>(&layer)) return &checkpoint->body();
  return dynamic_cast<const Sequential*>(&layer);
}

Value export_layer(OnnxGraph& graph, const std::string& name, const Sequential::Entry& entry, const Value& x) {
  if (const Sequential* within = layers_within(*entry.layer)) return export_sequential(graph, name + ".", *within, x);
  const Exporter exporter = exporter_of(entry.layer->type());
  require(exporter != nullptr, "onnx: layer '{}' is a {}, which has no ONNX form here", name, entry.layer->type());
  const Site site{graph, name, *entry.layer, entry.output};
  return apply(graph, name, entry.layer->activation(), exporter(site, x));
}

Value export_sequential(OnnxGraph& graph, const std::string& prefix, const Sequential& network, Value x) {
  for (const Sequential::Entry& entry : network.layers()) x = export_layer(graph, prefix + entry.name, entry, x);
  return x;
}

}  // namespace

std::string export_onnx(const Sequential& network, const std::string& name,
                        const std::map<std::string, std::string>& metadata) {
  OnnxGraph graph(network.input_shape());
  const Value input{graph.input(), network.input_shape(), false};
  const Value output = to_channels_last(graph, export_sequential(graph, "", network, input));
  return graph.finish(output.name, output.shape, name, metadata);
}

}  // namespace melgrad
