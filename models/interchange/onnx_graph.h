// An ONNX model under construction: nodes, constants, one input and one output. Written by hand from the format's
// definition, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3, and its operators,
// https://onnx.ai/onnx/operators/. Operator set 17.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/shape.h"
#include "models/interchange/protobuf.h"

namespace melgrad {

using OnnxValue =
    std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>, std::vector<std::string>>;
using OnnxAttributes = std::vector<std::pair<std::string, OnnxValue>>;

class OnnxGraph {
 public:
  // The graph's one input, float32, the batch's size free. Shapes here are those of a sample.
  explicit OnnxGraph(const Shape& input);
  const std::string& input() const { return input_name_; }

  // Adds a node and returns the name of its output. Names are `prefix` and, where that is taken, a number.
  std::string node(const std::string& prefix, const std::string& operation, const std::vector<std::string>& inputs,
                   const OnnxAttributes& attributes = {});
  // One of several outputs, the `wanted`-th; those before it are not computed.
  std::string node_output(const std::string& prefix, const std::string& operation,
                          const std::vector<std::string>& inputs, const OnnxAttributes& attributes, int wanted);

  // Adds a constant and returns its name.
  std::string constant(const std::string& name, const std::vector<float>& values, const Shape& shape);
  std::string constant(const std::string& name, const std::vector<int64_t>& values);  // (n)

  // The whole model as bytes, `result` being its output.
  std::string finish(const std::string& result, const Shape& output, const std::string& name,
                     const std::map<std::string, std::string>& metadata);

 private:
  std::string fresh(const std::string& prefix);

  Shape input_shape_;
  std::string input_name_ = "input";
  std::map<std::string, int> taken_;
  std::vector<ProtobufMessage> nodes_, constants_;
};

}  // namespace melgrad
