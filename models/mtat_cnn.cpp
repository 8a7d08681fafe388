#include "models/mtat_cnn.h"

#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/pooling.h"
#include "layers/reshape.h"

namespace melgrad {
namespace {

struct Block {
  int64_t filters;
  Pair pool;  // time by mel; 1 × 1 is no pool
};

Sequential tagger(const std::vector<Block>& blocks, const MtatCnnOptions& options) {
  Sequential network;
  for (const Block& block : blocks) {
    network.add(Conv2D(
        {.filters = block.filters, .kernel = 3, .padding = Padding::same, .activation = ActivationFunction::relu}));
    if (block.pool != Pair(1)) network.add(MaxPool2D({.pool = block.pool}));
  }
  network.add(Flatten()).add(Dense({.units = options.classes, .activation = ActivationFunction::softmax}));
  return network;
}

}  // namespace

// The comments have the maps after each block, for 683 × 48 × 1.

Sequential mtat_cnn(const MtatCnnOptions& options) {
  return tagger({{32, {4, 4}},   // 170 × 12 × 32
                 {64, {6, 4}},   // 28 × 3 × 64
                 {32, {7, 3}}},  // 4 × 1 × 32
                options);
}

Sequential mtat_cnn2(const MtatCnnOptions& options) {
  return tagger({{32, {4, 2}},   // 170 × 24 × 32
                 {64, {4, 3}},   // 42 × 8 × 64
                 {64, {3, 2}},   // 14 × 4 × 64
                 {32, {3, 2}}},  // 4 × 2 × 32
                options);
}

Sequential mtat_cnn3(const MtatCnnOptions& options) {
  return tagger({{32, {4, 2}},   // 170 × 24 × 32
                 {64, {4, 2}},   // 42 × 12 × 64
                 {64, {3, 2}},   // 14 × 6 × 64
                 {64, {2, 2}},   // 7 × 3 × 64
                 {64, {2, 1}},   // 3 × 3 × 64
                 {32, {1, 1}}},  // 3 × 3 × 32
                options);
}

}  // namespace melgrad
