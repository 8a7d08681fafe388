#include "models/choi_fcn.h"

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/pooling.h"
#include "layers/reshape.h"

namespace melgrad {
namespace {

struct Block {
  int64_t filters;
  Pair pool;  // mel by time
};

Sequential tagger(const std::vector<Block>& blocks, const ChoiFcnOptions& options) {
  Sequential network;  // 1366 × 96 × 1, time by mel
  network
      .add(Permute({.order = {2, 1, 3}}))  // 96 × 1366 × 1, mel by time
      .add(BatchNorm({}, /*axis=*/2));     // each frame a channel
  for (const Block& block : blocks) {
    network.add(Conv2D({.filters = block.filters, .kernel = 3, .padding = Padding::same}))
        .add(BatchNorm())
        .add(ActivationLayer({.function = ActivationFunction::elu}))
        .add(MaxPool2D({.pool = block.pool}));
  }
  network.add(Flatten()).add(Dense({.units = options.classes, .activation = ActivationFunction::sigmoid}));
  return network;
}

}  // namespace

// The comments have the maps after each block.

Sequential choi_fcn3(const ChoiFcnOptions& options) {
  return tagger({{32, {4, 8}},     // 24 × 170 × 32
                 {128, {4, 10}},   // 6 × 17 × 128
                 {256, {6, 17}}},  // 1 × 1 × 256
                options);
}

Sequential choi_fcn4(const ChoiFcnOptions& options) {
  return tagger({{32, {2, 4}},    // 48 × 341 × 32
                 {128, {4, 5}},   // 12 × 68 × 128
                 {128, {3, 8}},   // 4 × 8 × 128
                 {256, {4, 8}}},  // 1 × 1 × 256
                options);
}

Sequential choi_fcn5(const ChoiFcnOptions& options) {
  return tagger({{32, {2, 4}},    // 48 × 341 × 32
                 {128, {2, 4}},   // 24 × 85 × 128
                 {128, {2, 4}},   // 12 × 21 × 128
                 {192, {3, 5}},   // 4 × 4 × 192
                 {256, {4, 4}}},  // 1 × 1 × 256
                options);
}

}  // namespace melgrad
