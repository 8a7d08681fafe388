#include "models/interchange/onnx_export.h"

#include <cmath>

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/blocks.h"
#include "layers/conv1d.h"
#include "layers/conv2d.h"
#include "layers/gru.h"
#include "layers/pooling.h"
#include "layers/reshape.h"
#include "layers/zero_padding.h"
#include "models/interchange/onnx_graph.h"
#include "tensor/ops/movement.h"

namespace melgrad {
namespace {

// What a layer gives to the next: a tensor of the graph, the shape of a sample as this project has it (channels last),
// and whether the graph holds it with the channels first.
struct Value {
  std::string name;
  Shape shape;
  bool channels_first = false;
};

// What is known where a layer is turned into nodes.
struct Site {
  OnnxGraph& graph;
  std::string name;  // of the layer, with those around it
  const Layer& layer;
  Shape output;

  template <class L>
  const L& as() const {
    return dynamic_cast<const L&>(layer);
  }
  Tensor tensor(std::string_view wanted) const {
    for (const NamedTensor& named : layer.state())
      if (named.name == wanted) return named.tensor;
    return {};
  }
};

Value export_sequential(OnnxGraph& graph, const std::string& prefix, const Sequential& network, Value x);

// ---------------------------------------------------------------------------------------------------------------------
// Layout and constants.

Value to_channels_first(OnnxGraph& graph, const Value& x) {
  const int64_t rank = x.shape.rank() + 1;
  if (x.channels_first || rank < 3) return x;
  std::vector<int64_t> order{0, rank - 1};
  for (int64_t axis = 1; axis + 1 < rank; ++axis) order.push_back(axis);
  return {graph.node(x.name + ".channels_first", "Transpose", {x.name}, {{"perm", order}}), x.shape, true};
}

Value to_channels_last(OnnxGraph& graph, const Value& x) {
  if (!x.channels_first) return x;
  std::vector<int64_t> order{0};
  for (int64_t axis = 2; axis <= x.shape.rank(); ++axis) order.push_back(axis);
  order.push_back(1);
  return {graph.node(x.name + ".channels_last", "Transpose", {x.name}, {{"perm", order}}), x.shape, false};
}

std::vector<float> floats(const Tensor& tensor) {
  const Tensor host = tensor.to(Device::cpu);
  const auto values = host.data<float>();
  return {values.begin(), values.end()};
}

std::string constant_of(const Site& site, std::string_view name, const Tensor& tensor) {
  return site.graph.constant(fmt::format("{}.{}", site.name, name), floats(tensor), tensor.shape());
}

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
// Layers. Each function gives the value before the layer's own activation function.

OnnxAttributes window_attributes(const std::vector<Window>& windows) {
  std::vector<int64_t> strides, dilations, before, after, sizes;
  for (const Window& window : windows) {
    sizes.push_back(window.size);
    strides.push_back(window.stride);
    dilations.push_back(window.dilation);
    before.push_back(window.pad_before);
    after.push_back(window.pad_after);
  }
  before.insert(before.end(), after.begin(), after.end());
  return {{"kernel_shape", sizes}, {"strides", strides}, {"pads", before}, {"dilations", dilations}};
}

// `windows` without their sizes, which the weight (kernel…, in, out) has; ONNX's weight is (out, in, kernel…).
Value convolution(const Site& site, const Value& x, std::vector<Window> windows, int64_t groups) {
  const Tensor weight = site.tensor("weight"), bias = site.tensor("bias");
  const auto axes = static_cast<int64_t>(windows.size());
  std::vector<int64_t> order{axes + 1, axes};
  for (int64_t axis = 0; axis < axes; ++axis) {
    windows[static_cast<std::size_t>(axis)].size = weight.shape()[axis];
    order.push_back(axis);
  }
  OnnxAttributes attributes = window_attributes(windows);
  attributes.emplace_back("group", groups);
  std::vector<std::string> inputs{to_channels_first(site.graph, x).name,
                                  constant_of(site, "weight", transpose(weight.detach(), order))};
  if (bias.defined()) inputs.push_back(constant_of(site, "bias", bias));
  return {site.graph.node(site.name, "Conv", inputs, attributes), site.output, true};
}

Value conv1d_node(const Site& site, const Value& x) {
  const Conv1dOptions& options = site.as<Conv1D>().window();
  return convolution(site, x, {options.window}, options.groups);
}

Value conv2d_node(const Site& site, const Value& x) {
  const Conv2dOptions& options = site.as<Conv2D>().windows();
  return convolution(site, x, {options.rows, options.columns}, options.groups);
}

Value max_pool(const Site& site, const Value& x, const std::vector<Window>& windows) {
  return {site.graph.node(site.name, "MaxPool", {to_channels_first(site.graph, x).name}, window_attributes(windows)),
          site.output, true};
}

Value average_pool(const Site& site, const Value& x, const std::vector<Window>& windows, AverageOver over) {
  OnnxAttributes attributes = window_attributes(windows);
  attributes.pop_back();  // AveragePool knows dilations from operator set 19 on, and these have none
  attributes.emplace_back("count_include_pad", int64_t{over == AverageOver::window});
  return {site.graph.node(site.name, "AveragePool", {to_channels_first(site.graph, x).name}, attributes), site.output,
          true};
}

Value max_pool1d_node(const Site& site, const Value& x) {
  return max_pool(site, x, {site.as<MaxPool1D>().window()});
}

Value max_pool2d_node(const Site& site, const Value& x) {
  const auto& layer = site.as<MaxPool2D>();
  return max_pool(site, x, {layer.rows(), layer.columns()});
}

Value average_pool1d_node(const Site& site, const Value& x) {
  const auto& layer = site.as<AveragePool1D>();
  return average_pool(site, x, {layer.window()}, layer.over());
}

Value average_pool2d_node(const Site& site, const Value& x) {
  const auto& layer = site.as<AveragePool2D>();
  return average_pool(site, x, {layer.rows(), layer.columns()}, layer.over());
}

Value global_pool_node(const Site& site, const Value& x) {
  const std::string operation = site.layer.type() == "global_max_pool" ? "ReduceMax" : "ReduceMean";
  return {site.graph.node(site.name, operation, {to_channels_last(site.graph, x).name},
                          {{"axes", site.as<GlobalPool>().axes()}, {"keepdims", int64_t{0}}}),
          site.output, false};
}

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

Value reshape_node(const Site& site, const Value& x) {
  std::vector<int64_t> sizes{-1};
  sizes.insert(sizes.end(), site.output.begin(), site.output.end());
  const std::string shape = site.graph.constant(site.name + ".shape", sizes);
  return {site.graph.node(site.name, "Reshape", {to_channels_last(site.graph, x).name, shape}), site.output, false};
}

// ONNX's leaves two axes, whatever is kept here.
Value flatten_node(const Site& site, const Value& x) {
  if (site.output.rank() > 1) return reshape_node(site, x);
  return {site.graph.node(site.name, "Flatten", {to_channels_last(site.graph, x).name}, {{"axis", int64_t{1}}}),
          site.output, false};
}

Value permute_node(const Site& site, const Value& x) {
  return {site.graph.node(site.name, "Transpose", {to_channels_last(site.graph, x).name},
                          {{"perm", site.as<Permute>().order()}}),
          site.output, false};
}

// The amounts axis by axis behind the batch, the channels' none among them.
Value pad(const Site& site, const Value& x, const std::vector<AxisPadding>& amounts) {
  std::vector<int64_t> pads{0}, after{0};
  for (const AxisPadding& axis : amounts) {
    pads.push_back(axis.before);
    after.push_back(axis.after);
  }
  pads.push_back(0);
  after.push_back(0);
  pads.insert(pads.end(), after.begin(), after.end());
  OnnxGraph& graph = site.graph;
  return {graph.node(site.name, "Pad", {to_channels_last(graph, x).name, graph.constant(site.name + ".pads", pads)}),
          site.output, false};
}

Value zero_padding1d_node(const Site& site, const Value& x) {
  return pad(site, x, {site.as<ZeroPadding1D>().options().padding});
}

Value zero_padding2d_node(const Site& site, const Value& x) {
  const PairPadding& padding = site.as<ZeroPadding2D>().options().padding;
  return pad(site, x, {padding.rows, padding.columns});
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

// What only training does, and an activation function by itself.
Value nothing(const Site&, const Value& x) {
  return x;
}

using Exporter = Value (*)(const Site&, const Value&);

Exporter exporter_of(std::string_view type) {
  static const std::map<std::string_view, Exporter> all{
      {"activation", nothing},
      {"average_pool1d", average_pool1d_node},
      {"average_pool2d", average_pool2d_node},
      {"batch_norm", batch_norm_node},
      {"channel_dropout", nothing},
      {"conv1d", conv1d_node},
      {"conv2d", conv2d_node},
      {"dense", dense_node},
      {"dropout", nothing},
      {"flatten", flatten_node},
      {"gaussian_noise", nothing},
      {"global_average_pool", global_pool_node},
      {"global_max_pool", global_pool_node},
      {"gru", gru_node},
      {"max_pool1d", max_pool1d_node},
      {"max_pool2d", max_pool2d_node},
      {"permute", permute_node},
      {"reshape", reshape_node},
      {"residual", residual_node},
      {"squeeze_excitation", squeeze_excitation_node},
      {"zero_padding1d", zero_padding1d_node},
      {"zero_padding2d", zero_padding2d_node},
  };
  const auto found = all.find(type);
  return found == all.end() ? nullptr : found->second;
}

Value export_sequential(OnnxGraph& graph, const std::string& prefix, const Sequential& network, Value x) {
  for (const Sequential::Entry& entry : network.layers()) {
    const Exporter exporter = exporter_of(entry.layer->type());
    require(exporter != nullptr, "onnx: layer '{}' is a {}, which has no ONNX form here", prefix + entry.name,
            entry.layer->type());
    const Site site{graph, prefix + entry.name, *entry.layer, entry.output};
    x = apply(graph, site.name, entry.layer->activation(), exporter(site, x));
  }
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
