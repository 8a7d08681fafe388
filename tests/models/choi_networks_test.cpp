// Choi's networks, layer by layer: names, output shapes and parameters, as their author released them (choi-fcn3 and
// choi-fcn4: ours).
#include <doctest/doctest.h>

#include "tests/models/layer_table.h"

namespace melgrad::test {
namespace {

TEST_CASE("choi-fcn3, layer by layer") {
  check_layers("choi-fcn3", 352458, 348894, R"(
permute_1 (96, 1366, 1) 0
batch_norm_1 (96, 1366, 1) 5464
conv2d_1 (96, 1366, 32) 320
batch_norm_2 (96, 1366, 32) 128
activation_1 (96, 1366, 32) 0
max_pool2d_1 (24, 170, 32) 0
conv2d_2 (24, 170, 128) 36992
batch_norm_3 (24, 170, 128) 512
activation_2 (24, 170, 128) 0
max_pool2d_2 (6, 17, 128) 0
conv2d_3 (6, 17, 256) 295168
batch_norm_4 (6, 17, 256) 1024
activation_3 (6, 17, 256) 0
max_pool2d_3 (1, 1, 256) 0
flatten_1 (256) 0
dense_1 (50) 12850
)");
}

TEST_CASE("choi-fcn4, layer by layer") {
  check_layers("choi-fcn4", 500554, 496734, R"(
permute_1 (96, 1366, 1) 0
batch_norm_1 (96, 1366, 1) 5464
conv2d_1 (96, 1366, 32) 320
batch_norm_2 (96, 1366, 32) 128
activation_1 (96, 1366, 32) 0
max_pool2d_1 (48, 341, 32) 0
conv2d_2 (48, 341, 128) 36992
batch_norm_3 (48, 341, 128) 512
activation_2 (48, 341, 128) 0
max_pool2d_2 (12, 68, 128) 0
conv2d_3 (12, 68, 128) 147584
batch_norm_4 (12, 68, 128) 512
activation_3 (12, 68, 128) 0
max_pool2d_3 (4, 8, 128) 0
conv2d_4 (4, 8, 256) 295168
batch_norm_5 (4, 8, 256) 1024
activation_4 (4, 8, 256) 0
max_pool2d_4 (1, 1, 256) 0
flatten_1 (256) 0
dense_1 (50) 12850
)");
}

TEST_CASE("choi-fcn5, layer by layer") {
  check_layers("choi-fcn5", 870154, 865950, R"(
permute_1 (96, 1366, 1) 0
batch_norm_1 (96, 1366, 1) 5464
conv2d_1 (96, 1366, 32) 320
batch_norm_2 (96, 1366, 32) 128
activation_1 (96, 1366, 32) 0
max_pool2d_1 (48, 341, 32) 0
conv2d_2 (48, 341, 128) 36992
batch_norm_3 (48, 341, 128) 512
activation_2 (48, 341, 128) 0
max_pool2d_2 (24, 85, 128) 0
conv2d_3 (24, 85, 128) 147584
batch_norm_4 (24, 85, 128) 512
activation_3 (24, 85, 128) 0
max_pool2d_3 (12, 21, 128) 0
conv2d_4 (12, 21, 192) 221376
batch_norm_5 (12, 21, 192) 768
activation_4 (12, 21, 192) 0
max_pool2d_4 (4, 4, 192) 0
conv2d_5 (4, 4, 256) 442624
batch_norm_6 (4, 4, 256) 1024
activation_5 (4, 4, 256) 0
max_pool2d_5 (1, 1, 256) 0
flatten_1 (256) 0
dense_1 (50) 12850
)");
}

TEST_CASE("choi-crnn, layer by layer") {
  check_layers("choi-crnn", 400562, 396786, R"(
permute_1 (96, 1366, 1) 0
zero_padding2d_1 (96, 1440, 1) 0
batch_norm_1 (96, 1440, 1) 5760
conv2d_1 (96, 1440, 64) 640
batch_norm_2 (96, 1440, 64) 256
activation_1 (96, 1440, 64) 0
max_pool2d_1 (48, 720, 64) 0
dropout_1 (48, 720, 64) 0
conv2d_2 (48, 720, 128) 73856
batch_norm_3 (48, 720, 128) 512
activation_2 (48, 720, 128) 0
max_pool2d_2 (16, 240, 128) 0
dropout_2 (16, 240, 128) 0
conv2d_3 (16, 240, 128) 147584
batch_norm_4 (16, 240, 128) 512
activation_3 (16, 240, 128) 0
max_pool2d_3 (4, 60, 128) 0
dropout_3 (4, 60, 128) 0
conv2d_4 (4, 60, 128) 147584
batch_norm_5 (4, 60, 128) 512
activation_4 (4, 60, 128) 0
max_pool2d_4 (1, 15, 128) 0
dropout_4 (1, 15, 128) 0
reshape_1 (15, 128) 0
gru_1 (15, 32) 15456
gru_2 (32) 6240
dropout_5 (32) 0
dense_1 (50) 1650
)");
}

}  // namespace
}  // namespace melgrad::test
