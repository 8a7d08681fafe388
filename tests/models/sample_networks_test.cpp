// The networks on raw samples, layer by layer: names, output shapes and parameters, as their sources state them.
#include <doctest/doctest.h>

#include "models/registry.h"
#include "tests/models/layer_table.h"

namespace melgrad::test {
namespace {

TEST_CASE("samplecnn, layer by layer") {
  check_layers("samplecnn", 1875762, 1869874, R"(
conv1d_1 (59049, 128) 512
batch_norm_1 (59049, 128) 512
activation_1 (59049, 128) 0
max_pool1d_1 (19683, 128) 0
conv1d_2 (19683, 128) 49280
batch_norm_2 (19683, 128) 512
activation_2 (19683, 128) 0
max_pool1d_2 (6561, 128) 0
conv1d_3 (6561, 128) 49280
batch_norm_3 (6561, 128) 512
activation_3 (6561, 128) 0
max_pool1d_3 (2187, 128) 0
conv1d_4 (2187, 256) 98560
batch_norm_4 (2187, 256) 1024
activation_4 (2187, 256) 0
max_pool1d_4 (729, 256) 0
conv1d_5 (729, 256) 196864
batch_norm_5 (729, 256) 1024
activation_5 (729, 256) 0
max_pool1d_5 (243, 256) 0
conv1d_6 (243, 256) 196864
batch_norm_6 (243, 256) 1024
activation_6 (243, 256) 0
max_pool1d_6 (81, 256) 0
conv1d_7 (81, 256) 196864
batch_norm_7 (81, 256) 1024
activation_7 (81, 256) 0
max_pool1d_7 (27, 256) 0
conv1d_8 (27, 256) 196864
batch_norm_8 (27, 256) 1024
activation_8 (27, 256) 0
max_pool1d_8 (9, 256) 0
conv1d_9 (9, 256) 196864
batch_norm_9 (9, 256) 1024
activation_9 (9, 256) 0
max_pool1d_9 (3, 256) 0
conv1d_10 (3, 512) 393728
batch_norm_10 (3, 512) 2048
activation_10 (3, 512) 0
max_pool1d_10 (1, 512) 0
conv1d_11 (1, 512) 262656
batch_norm_11 (1, 512) 2048
activation_11 (1, 512) 0
dropout_1 (1, 512) 0
flatten_1 (512) 0
dense_1 (50) 25650
)");
}

TEST_CASE("samplecnn-strided, layer by layer") {
  check_layers("samplecnn-strided", 1875762, 1869874, R"(
conv1d_1 (19683, 128) 512
batch_norm_1 (19683, 128) 512
activation_1 (19683, 128) 0
conv1d_2 (19683, 128) 49280
batch_norm_2 (19683, 128) 512
activation_2 (19683, 128) 0
max_pool1d_1 (6561, 128) 0
conv1d_3 (6561, 128) 49280
batch_norm_3 (6561, 128) 512
activation_3 (6561, 128) 0
max_pool1d_2 (2187, 128) 0
conv1d_4 (2187, 256) 98560
batch_norm_4 (2187, 256) 1024
activation_4 (2187, 256) 0
max_pool1d_3 (729, 256) 0
conv1d_5 (729, 256) 196864
batch_norm_5 (729, 256) 1024
activation_5 (729, 256) 0
max_pool1d_4 (243, 256) 0
conv1d_6 (243, 256) 196864
batch_norm_6 (243, 256) 1024
activation_6 (243, 256) 0
max_pool1d_5 (81, 256) 0
conv1d_7 (81, 256) 196864
batch_norm_7 (81, 256) 1024
activation_7 (81, 256) 0
max_pool1d_6 (27, 256) 0
conv1d_8 (27, 256) 196864
batch_norm_8 (27, 256) 1024
activation_8 (27, 256) 0
max_pool1d_7 (9, 256) 0
conv1d_9 (9, 256) 196864
batch_norm_9 (9, 256) 1024
activation_9 (9, 256) 0
max_pool1d_8 (3, 256) 0
conv1d_10 (3, 512) 393728
batch_norm_10 (3, 512) 2048
activation_10 (3, 512) 0
max_pool1d_9 (1, 512) 0
conv1d_11 (1, 512) 262656
batch_norm_11 (1, 512) 2048
activation_11 (1, 512) 0
dropout_1 (1, 512) 0
flatten_1 (512) 0
dense_1 (50) 25650
)");
}

TEST_CASE("sample-mn at its default is samplecnn-strided, to the weight") {
  Sequential mn = make_model("sample-mn", 50), strided = make_model("samplecnn-strided", 50);
  mn.build({59049, 1}, {.seed = 3});
  strided.build({59049, 1}, {.seed = 3});
  CHECK(layer_table(mn) == layer_table(strided));
  const auto a = mn.values().at("conv1d_4.weight").data<float>(),
             b = strided.values().at("conv1d_4.weight").data<float>();
  CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
}

TEST_CASE("sample-mn: base^(depth + 1) samples become one step of 512, whatever base and depth") {
  const struct {
    double base, depth;
    int64_t samples;
  } family[] = {{2, 13, 16384}, {3, 9, 59049}, {4, 6, 16384}, {5, 5, 15625}, {3, 7, 6561}, {2, 1, 4}};
  for (const auto& member : family) {
    CAPTURE(member.base);
    Sequential network = make_model("sample-mn", 10, {{"base", member.base}, {"depth", member.depth}});
    CHECK(network.build({member.samples, 1}) == Shape{10});
    const auto& layers = network.layers();
    CHECK(layers[0].output == Shape{member.samples / static_cast<int64_t>(member.base), 128});
    CHECK(layers[layers.size() - 2].output == Shape{512});  // flattened: one step
    CHECK(layers.size() == static_cast<std::size_t>(3 + 4 * member.depth + 6));
  }
  // 3⁷ has widths 128, 128, 128, 256 × 4, 512, 512.
  Sequential digits = make_model("sample-mn", 10, {{"depth", 7}});
  digits.build({6561, 1});
  std::vector<int64_t> widths;
  for (const auto& entry : digits.layers())
    if (entry.layer->type() == "conv1d") widths.push_back(entry.output[1]);
  CHECK(widths == std::vector<int64_t>{128, 128, 128, 256, 256, 256, 256, 512, 512});
}

TEST_CASE("sample-mn refuses impossible members") {
  CHECK_THROWS_WITH_AS(make_model("sample-mn", 10, {{"base", 1}}), doctest::Contains("base is 1"), Error);
  CHECK_THROWS_WITH_AS(make_model("sample-mn", 10, {{"depth", 0}}), doctest::Contains("depth is 0"), Error);
  CHECK_THROWS_WITH_AS(make_model("sample-mn", 10, {{"depth", 2.5}}), doctest::Contains("model.depth: 2.5"), Error);
  Sequential network = make_model("sample-mn", 10);
  CHECK_THROWS_WITH_AS(network.build({6561, 1}), doctest::Contains("max_pool1d_8"), Error);  // too short
}

}  // namespace
}  // namespace melgrad::test
