#include "models/interchange/onnx_graph.h"

#include <cstring>

#include "kernels/error.h"

namespace melgrad {
namespace {

// Field numbers of onnx.proto3, by message.
namespace model {
constexpr int ir_version = 1, producer_name = 2, graph = 7, opset_import = 8, metadata_props = 14;
}
namespace graph {
constexpr int node = 1, name = 2, initializer = 5, input = 11, output = 12;
}
namespace node_fields {
constexpr int input = 1, output = 2, name = 3, op_type = 4, attribute = 5;
}
namespace attribute {
constexpr int name = 1, f = 2, i = 3, s = 4, floats = 7, ints = 8, strings = 9, type = 20;
enum Type : int64_t { FLOAT = 1, INT = 2, STRING = 3, FLOATS = 6, INTS = 7, STRINGS = 8 };
}  // namespace attribute
namespace tensor {
constexpr int dims = 1, data_type = 2, name = 8, raw_data = 9;
enum DataType : int64_t { FLOAT = 1, INT64 = 7 };
}  // namespace tensor

constexpr int64_t ir_version = 8, operator_set = 17;

ProtobufMessage format_attribute(const std::string& name, const OnnxValue& value) {
  ProtobufMessage message;
  message.text(attribute::name, name);
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    message.integer(attribute::i, *integer).integer(attribute::type, attribute::INT);
  } else if (const auto* real = std::get_if<float>(&value)) {
    message.real(attribute::f, *real).integer(attribute::type, attribute::FLOAT);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    message.text(attribute::s, *text).integer(attribute::type, attribute::STRING);
  } else if (const auto* integers = std::get_if<std::vector<int64_t>>(&value)) {
    message.integers(attribute::ints, *integers).integer(attribute::type, attribute::INTS);
  } else if (const auto* reals = std::get_if<std::vector<float>>(&value)) {
    message.reals(attribute::floats, *reals).integer(attribute::type, attribute::FLOATS);
  } else {
    for (const std::string& item : std::get<std::vector<std::string>>(value)) message.text(attribute::strings, item);
    message.integer(attribute::type, attribute::STRINGS);
  }
  return message;
}

template <class T>
ProtobufMessage format_tensor(const std::string& name, const std::vector<T>& values, const std::vector<int64_t>& dims,
                              tensor::DataType type) {
  std::string bytes(values.size() * sizeof(T), '\0');  // little-endian, as every machine that this is built for
  std::memcpy(bytes.data(), values.data(), bytes.size());
  ProtobufMessage message;
  message.integers(tensor::dims, dims)
      .integer(tensor::data_type, type)
      .text(tensor::name, name)
      .text(tensor::raw_data, bytes);
  return message;
}

// A ValueInfoProto: float32 (batch, sample…).
ProtobufMessage value_info(const std::string& name, const Shape& sample) {
  ProtobufMessage shape;
  shape.message(1, ProtobufMessage().text(2, "batch"));
  for (int64_t size : sample) shape.message(1, ProtobufMessage().integer(1, size));
  const ProtobufMessage tensor_type = ProtobufMessage().integer(1, tensor::FLOAT).message(2, shape);
  return ProtobufMessage().text(1, name).message(2, ProtobufMessage().message(1, tensor_type));
}

}  // namespace

OnnxGraph::OnnxGraph(const Shape& input) : input_shape_(input) {
  fresh(input_name_);
  fresh("output");
}

std::string OnnxGraph::fresh(const std::string& prefix) {
  const int before = taken_[prefix]++;
  return before == 0 ? prefix : fresh(prefix + "_" + std::to_string(before));
}

std::string OnnxGraph::node(const std::string& prefix, const std::string& operation,
                            const std::vector<std::string>& inputs, const OnnxAttributes& attributes) {
  return node_output(prefix, operation, inputs, attributes, 0);
}

std::string OnnxGraph::node_output(const std::string& prefix, const std::string& operation,
                                   const std::vector<std::string>& inputs, const OnnxAttributes& attributes,
                                   int wanted) {
  const std::string name = fresh(prefix);
  ProtobufMessage message;
  for (const std::string& input : inputs) message.text(node_fields::input, input);
  for (int i = 0; i < wanted; ++i) message.text(node_fields::output, "");
  message.text(node_fields::output, name).text(node_fields::name, name).text(node_fields::op_type, operation);
  for (const auto& [key, value] : attributes) message.message(node_fields::attribute, format_attribute(key, value));
  nodes_.push_back(message);
  return name;
}

std::string OnnxGraph::constant(const std::string& name, const std::vector<float>& values, const Shape& shape) {
  const std::string own = fresh(name);
  constants_.push_back(format_tensor(own, values, {shape.begin(), shape.end()}, tensor::FLOAT));
  return own;
}

std::string OnnxGraph::constant(const std::string& name, const std::vector<int64_t>& values) {
  const std::string own = fresh(name);
  constants_.push_back(format_tensor(own, values, {static_cast<int64_t>(values.size())}, tensor::INT64));
  return own;
}

std::string OnnxGraph::finish(const std::string& result, const Shape& output, const std::string& name,
                              const std::map<std::string, std::string>& metadata) {
  ProtobufMessage last;
  last.text(node_fields::input, result)
      .text(node_fields::output, "output")
      .text(node_fields::name, "output")
      .text(node_fields::op_type, "Identity");
  nodes_.push_back(last);
  ProtobufMessage body;
  for (const ProtobufMessage& node : nodes_) body.message(graph::node, node);
  body.text(graph::name, name);
  for (const ProtobufMessage& constant : constants_) body.message(graph::initializer, constant);
  body.message(graph::input, value_info(input_name_, input_shape_))
      .message(graph::output, value_info("output", output));

  ProtobufMessage all;
  all.integer(model::ir_version, ir_version).text(model::producer_name, "melgrad").message(model::graph, body);
  all.message(model::opset_import, ProtobufMessage().text(1, "").integer(2, operator_set));
  for (const auto& [key, value] : metadata)
    all.message(model::metadata_props, ProtobufMessage().text(1, key).text(2, value));
  return all.bytes();
}

}  // namespace melgrad
