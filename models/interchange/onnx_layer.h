// How a layer becomes nodes: what its exporter gets and gives. The exporters stand in onnx_export.cpp, onnx_windows.cpp
// and onnx_movement.cpp.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "layers/layer.h"
#include "models/interchange/onnx_graph.h"

namespace melgrad::onnx {

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
  Tensor tensor(std::string_view wanted) const;  // of the layer's state; undefined where it has none
};

// Gives the value before the layer's own activation function.
using Exporter = Value (*)(const Site&, const Value&);
using Exporters = std::map<std::string_view, Exporter>;  // by the layer's type

const Exporters& window_exporters();    // convolutions and pools
const Exporters& movement_exporters();  // what moves elements and has no weights

Value to_channels_first(OnnxGraph& graph, const Value& x);  // where there are positions before the channels
Value to_channels_last(OnnxGraph& graph, const Value& x);

std::vector<float> floats(const Tensor& tensor);
std::string constant_of(const Site& site, std::string_view name, const Tensor& tensor);

}  // namespace melgrad::onnx
