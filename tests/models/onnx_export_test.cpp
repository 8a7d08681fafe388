// The structure of exported models, read back from their bytes. That ONNX Runtime computes the same numbers is checked by
// scripts/check_onnx.py, from outside.
#include "models/interchange/onnx_export.h"

#include <doctest/doctest.h>

#include "layers/batch_norm.h"
#include "layers/blocks.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/pooling.h"
#include "layers/reshape.h"
#include "models/interchange/protobuf.h"
#include "tests/models/protobuf_reader.h"

namespace melgrad {
namespace {

using test::ProtobufFields;
using test::read_protobuf;

TEST_CASE("the wire format: examples of its documentation") {
  CHECK(ProtobufMessage().integer(1, 150).bytes() == std::string("\x08\x96\x01"));
  CHECK(ProtobufMessage().text(2, "testing").bytes() == std::string("\x12\x07testing"));
  const ProtobufMessage inner = ProtobufMessage().integer(1, 150);
  CHECK(ProtobufMessage().message(3, inner).bytes() == std::string("\x1a\x03\x08\x96\x01"));
  CHECK(ProtobufMessage().integer(1, -2).bytes() == std::string("\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
  CHECK(ProtobufMessage().real(1, 1.0f).bytes() == std::string("\x0d\x00\x00\x80\x3f", 5));
  CHECK(ProtobufMessage().real(1, 1.0).bytes() == std::string("\x09\x00\x00\x00\x00\x00\x00\xf0\x3f", 9));
  CHECK(ProtobufMessage().integer(16, 1).bytes() == std::string("\x80\x01\x01"));  // two bytes of tag
}

std::vector<std::string> operations(const ProtobufFields& graph) {
  std::vector<std::string> names;
  for (const std::string& node : graph.all(1)) names.push_back(read_protobuf(node).text(4));
  return names;
}

TEST_CASE("one transpose each way around a channels-first part, and names that tell the layers") {
  Sequential network;
  network.add(Conv2D({.filters = 4, .activation = ActivationFunction::relu}))
      .add(BatchNorm())
      .add(MaxPool2D())
      .add(Dropout({.rate = 0.5}))
      .add(Flatten())
      .add(Dense({.units = 3, .activation = ActivationFunction::softmax}));
  network.build({10, 8, 2}, {.seed = 3});
  const ProtobufFields model = read_protobuf(export_onnx(network, "small", {{"labels", "a b c"}}));
  CHECK(model.integer(1) == 8);
  CHECK(model.text(2) == "melgrad");
  const ProtobufFields set = read_protobuf(model.text(8)), note = read_protobuf(model.text(14));
  CHECK(set.integer(2) == 17);
  CHECK(note.text(1) == "labels");
  CHECK(note.text(2) == "a b c");
  const ProtobufFields graph = read_protobuf(model.text(7));
  CHECK(graph.text(2) == "small");
  CHECK(operations(graph) == std::vector<std::string>{"Transpose", "Conv", "Relu", "BatchNormalization", "MaxPool",
                                                      "Transpose", "Flatten", "Gemm", "Softmax", "Identity"});
  CHECK(read_protobuf(graph.all(1)[1]).text(2) == "conv2d_1");
  CHECK(read_protobuf(graph.text(11)).text(1) == "input");
  CHECK(read_protobuf(graph.text(12)).text(1) == "output");
  // The weight, (kh, kw, in, out) here, is (out, in, kh, kw) there.
  const ProtobufFields weight = read_protobuf(graph.all(5)[0]);
  CHECK(weight.text(8) == "conv2d_1.weight");
  CHECK(weight.integers(1) == std::vector<int64_t>{4, 2, 3, 3});
  CHECK(weight.text(9).size() == 4 * 2 * 3 * 3 * sizeof(float));
  const Tensor ours = network.values().at("conv2d_1.weight");
  float value = 0;
  std::memcpy(&value, weight.text(9).data() + sizeof(float) * (((3 * 2 + 1) * 3 + 2) * 3 + 0), sizeof value);
  CHECK(value == ours.data<float>()[static_cast<std::size_t>(((2 * 3 + 0) * 2 + 1) * 4 + 3)]);
}

TEST_CASE("what a flatten layer keeps is kept") {
  Sequential network;
  network.add(Flatten({.keep = 1})).add(Dense({.units = 3, .bias = false}));
  network.build({5, 4, 2});
  const ProtobufFields graph = read_protobuf(read_protobuf(export_onnx(network, "kept")).text(7));
  CHECK(operations(graph) == std::vector<std::string>{"Reshape", "MatMul", "Identity"});
}

// The numbers of an INT64 constant.
std::vector<int64_t> integers_of(const ProtobufFields& graph, const std::string& name) {
  for (const std::string& bytes : graph.all(5)) {
    const ProtobufFields constant = read_protobuf(bytes);
    if (constant.text(8) != name) continue;
    const std::string raw = constant.text(9);
    std::vector<int64_t> values(raw.size() / sizeof(int64_t));
    std::memcpy(values.data(), raw.data(), raw.size());
    return values;
  }
  return {};
}

TEST_CASE("mirrored and cut ends, axis by axis behind the batch") {
  Sequential network;
  network.add(ReflectPadding({.before = {{3}}, .after = {{2, 1}}})).add(Crop({.before = {{0, 2}}, .after = {{4}}}));
  network.build({5, 4, 2});
  const ProtobufFields graph = read_protobuf(read_protobuf(export_onnx(network, "ends")).text(7));
  CHECK(operations(graph) == std::vector<std::string>{"Pad", "Slice", "Identity"});
  const ProtobufFields mode = read_protobuf(read_protobuf(graph.all(1)[0]).text(5));
  CHECK(mode.text(1) == "mode");
  CHECK(mode.text(4) == "reflect");
  CHECK(integers_of(graph, "reflect_padding_1.pads") == std::vector<int64_t>{0, 3, 0, 0, 0, 2, 1, 0});
  CHECK(integers_of(graph, "crop_1.starts") == std::vector<int64_t>{0, 2, 0});
  CHECK(integers_of(graph, "crop_1.ends") == std::vector<int64_t>{6, 5, 2});
  CHECK(integers_of(graph, "crop_1.axes") == std::vector<int64_t>{1, 2, 3});
}

Sequential branch_of(int64_t units) {
  Sequential branch;
  branch.add(Dense({.units = units, .bias = false}));
  return branch;
}

TEST_CASE("branches side by side, joined in each way, one of them the input itself") {
  const std::vector<std::pair<Join, std::string>> joins{
      {Join::add, "Add"}, {Join::multiply, "Mul"}, {Join::concatenate, "Concat"}};
  for (const auto& [join, operation] : joins) {
    CAPTURE(operation);
    std::vector<Sequential> branches(3);
    branches[0] = branch_of(4);
    branches[2] = branch_of(4);
    Sequential network;
    network.add(Parallel(std::move(branches), {.join = join}));
    network.build({6, 4});
    const ProtobufFields graph = read_protobuf(read_protobuf(export_onnx(network, "branches")).text(7));
    std::vector<std::string> expected{"MatMul", "MatMul", operation};
    if (join != Join::concatenate) expected.push_back(operation);
    expected.push_back("Identity");
    CHECK(operations(graph) == expected);
    CHECK(read_protobuf(graph.all(1)[1]).text(3) == "parallel_1.branch_3.dense_1");
    const std::vector<std::string> joined = read_protobuf(graph.all(1)[2]).all(1);
    CHECK(joined.size() == (join == Join::concatenate ? 3 : 2));
    CHECK(joined[1] == "input");
  }
}

TEST_CASE("what a checkpoint holds stands where the checkpoint stood, its activation once") {
  Sequential body;
  body.add(Dense({.units = 3})).add(Dense({.units = 2, .activation = ActivationFunction::tanh}));
  Sequential network;
  network.add(Checkpoint(std::move(body)));
  network.build({4});
  const ProtobufFields graph = read_protobuf(read_protobuf(export_onnx(network, "kept")).text(7));
  CHECK(operations(graph) == std::vector<std::string>{"Gemm", "Gemm", "Tanh", "Identity"});
}

class Unknown : public Layer {
 public:
  std::string_view type() const override { return "unknown"; }
  Shape build(const Shape& input, BuildContext&) override { return input; }
  Tensor pre_activation(const Tensor& x, const Pass&) override { return x; }
};

TEST_CASE("a layer without an ONNX form is an error that names it") {
  Sequential network;
  network.add(Unknown());
  network.build({3});
  CHECK_THROWS_WITH_AS(export_onnx(network, "x"), doctest::Contains("unknown_1"), Error);
}

}  // namespace
}  // namespace melgrad
