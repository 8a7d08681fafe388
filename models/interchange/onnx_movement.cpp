// ONNX nodes of the layers that move elements, pad or cut.
#include "layers/reshape.h"
#include "layers/zero_padding.h"
#include "models/interchange/onnx_layer.h"

namespace melgrad::onnx {
namespace {

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

// The amounts of every axis of a sample.
Value pad(const Site& site, const Value& x, const std::vector<int64_t>& before, const std::vector<int64_t>& after,
          const std::string& mode) {
  std::vector<int64_t> pads{0};  // none for the batch
  pads.insert(pads.end(), before.begin(), before.end());
  pads.push_back(0);
  pads.insert(pads.end(), after.begin(), after.end());
  OnnxGraph& graph = site.graph;
  return {graph.node(site.name, "Pad", {to_channels_last(graph, x).name, graph.constant(site.name + ".pads", pads)},
                     {{"mode", mode}}),
          site.output, false};
}

Value zero_padding1d_node(const Site& site, const Value& x) {
  const AxisPadding& padding = site.as<ZeroPadding1D>().options().padding;
  return pad(site, x, {padding.before, 0}, {padding.after, 0}, "constant");
}

Value zero_padding2d_node(const Site& site, const Value& x) {
  const PairPadding& padding = site.as<ZeroPadding2D>().options().padding;
  return pad(site, x, {padding.rows.before, padding.columns.before, 0}, {padding.rows.after, padding.columns.after, 0},
             "constant");
}

Value reflect_padding_node(const Site& site, const Value& x) {
  const EndsOptions& ends = site.as<ReflectPadding>().ends();
  return pad(site, x, ends.before.values, ends.after.values, "reflect");
}

Value crop_node(const Site& site, const Value& x) {
  const EndsOptions& ends = site.as<Crop>().ends();
  std::vector<int64_t> axes, stops;
  for (int64_t axis = 0; axis < x.shape.rank(); ++axis) {
    axes.push_back(axis + 1);
    stops.push_back(x.shape[axis] - ends.after.values[static_cast<std::size_t>(axis)]);
  }
  OnnxGraph& graph = site.graph;
  return {graph.node(site.name, "Slice",
                     {to_channels_last(graph, x).name, graph.constant(site.name + ".starts", ends.before.values),
                      graph.constant(site.name + ".ends", stops), graph.constant(site.name + ".axes", axes)}),
          site.output, false};
}

}  // namespace

const Exporters& movement_exporters() {
  static const Exporters all{
      {"crop", crop_node},
      {"flatten", flatten_node},
      {"permute", permute_node},
      {"reflect_padding", reflect_padding_node},
      {"reshape", reshape_node},
      {"zero_padding1d", zero_padding1d_node},
      {"zero_padding2d", zero_padding2d_node},
  };
  return all;
}

}  // namespace melgrad::onnx
