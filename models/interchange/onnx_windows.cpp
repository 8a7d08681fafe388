// ONNX nodes of the layers that slide windows: convolutions and pools.
#include "layers/conv1d.h"
#include "layers/conv2d.h"
#include "layers/pooling.h"
#include "models/interchange/onnx_layer.h"
#include "tensor/ops/movement.h"

namespace melgrad::onnx {
namespace {

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

}  // namespace

const Exporters& window_exporters() {
  static const Exporters all{
      {"average_pool1d", average_pool1d_node},
      {"average_pool2d", average_pool2d_node},
      {"conv1d", conv1d_node},
      {"conv2d", conv2d_node},
      {"global_average_pool", global_pool_node},
      {"global_max_pool", global_pool_node},
      {"max_pool1d", max_pool1d_node},
      {"max_pool2d", max_pool2d_node},
  };
  return all;
}

}  // namespace melgrad::onnx
