#include "models/interchange/onnx_layer.h"

#include <fmt/format.h>

namespace melgrad::onnx {

Tensor Site::tensor(std::string_view wanted) const {
  for (const NamedTensor& named : layer.state())
    if (named.name == wanted) return named.tensor;
  return {};
}

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

}  // namespace melgrad::onnx
