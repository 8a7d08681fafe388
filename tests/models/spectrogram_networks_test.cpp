// The networks on spectrograms, layer by layer: names, output shapes and parameters, as their sources state them.
#include <doctest/doctest.h>

#include "tests/models/layer_table.h"

namespace melgrad::test {
namespace {

TEST_CASE("key-cnn, layer by layer") {
  check_layers("key-cnn", 19432, 19432, R"(
conv2d_1 (88, 88, 16) 80
conv2d_2 (88, 88, 32) 2080
max_pool2d_1 (44, 44, 32) 0
conv2d_3 (44, 44, 64) 8256
conv2d_4 (44, 44, 32) 8224
max_pool2d_2 (22, 22, 32) 0
global_average_pool_1 (32) 0
dense_1 (24) 792
)");
}

TEST_CASE("key-kw17, layer by layer") {
  check_layers("key-kw17", 48184, 48184, R"(
conv2d_1 (100, 105, 8) 208
conv2d_2 (100, 105, 8) 1608
conv2d_3 (100, 105, 8) 1608
conv2d_4 (100, 105, 8) 1608
conv2d_5 (100, 105, 8) 1608
flatten_1 (100, 840) 0
dense_1 (100, 48) 40368
global_average_pool_1 (48) 0
dense_2 (24) 1176
)");
}

TEST_CASE("fma-cnn, layer by layer") {
  check_layers("fma-cnn", 539912, 538696, R"(
permute_1 (128, 1024, 1) 0
conv2d_1 (128, 1024, 32) 320
batch_norm_1 (128, 1024, 32) 128
activation_1 (128, 1024, 32) 0
max_pool2d_1 (64, 256, 32) 0
conv2d_2 (64, 256, 64) 18496
batch_norm_2 (64, 256, 64) 256
activation_2 (64, 256, 64) 0
max_pool2d_2 (32, 64, 64) 0
conv2d_3 (32, 64, 128) 73856
batch_norm_3 (32, 64, 128) 512
activation_3 (32, 64, 128) 0
max_pool2d_3 (16, 16, 128) 0
conv2d_4 (16, 16, 128) 147584
batch_norm_4 (16, 16, 128) 512
activation_4 (16, 16, 128) 0
max_pool2d_4 (8, 8, 128) 0
conv2d_5 (8, 8, 256) 295168
batch_norm_5 (8, 8, 256) 1024
activation_5 (8, 8, 256) 0
max_pool2d_5 (4, 4, 256) 0
global_average_pool_1 (256) 0
dropout_1 (256) 0
dense_1 (8) 2056
)");
}

TEST_CASE("mtat-cnn, layer by layer") {
  check_layers("mtat-cnn", 61532, 61532, R"(
conv2d_1 (683, 48, 32) 320
max_pool2d_1 (170, 12, 32) 0
conv2d_2 (170, 12, 64) 18496
max_pool2d_2 (28, 3, 64) 0
conv2d_3 (28, 3, 32) 18464
max_pool2d_3 (4, 1, 32) 0
flatten_1 (128) 0
dense_1 (188) 24252
)");
}

TEST_CASE("mtat-cnn2, layer by layer") {
  check_layers("mtat-cnn2", 122524, 122524, R"(
conv2d_1 (683, 48, 32) 320
max_pool2d_1 (170, 24, 32) 0
conv2d_2 (170, 24, 64) 18496
max_pool2d_2 (42, 8, 64) 0
conv2d_3 (42, 8, 64) 36928
max_pool2d_3 (14, 4, 64) 0
conv2d_4 (14, 4, 32) 18464
max_pool2d_4 (4, 2, 32) 0
flatten_1 (256) 0
dense_1 (188) 48316
)");
}

TEST_CASE("mtat-cnn3, layer by layer") {
  check_layers("mtat-cnn3", 202396, 202396, R"(
conv2d_1 (683, 48, 32) 320
max_pool2d_1 (170, 24, 32) 0
conv2d_2 (170, 24, 64) 18496
max_pool2d_2 (42, 12, 64) 0
conv2d_3 (42, 12, 64) 36928
max_pool2d_3 (14, 6, 64) 0
conv2d_4 (14, 6, 64) 36928
max_pool2d_4 (7, 3, 64) 0
conv2d_5 (7, 3, 64) 36928
max_pool2d_5 (3, 3, 64) 0
conv2d_6 (3, 3, 32) 18464
flatten_1 (288) 0
dense_1 (188) 54332
)");
}

}  // namespace
}  // namespace melgrad::test
