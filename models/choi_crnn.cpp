#include "models/choi_crnn.h"

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/gru.h"
#include "layers/pooling.h"
#include "layers/reshape.h"
#include "layers/zero_padding.h"

namespace melgrad {
namespace {

Gru keras1_gru(int64_t units, bool return_sequences) {
  return Gru({.units = units,
              .return_sequences = return_sequences,
              .reset_after = false,
              .recurrent_activation = Activation::hard_sigmoid_keras1});
}

}  // namespace

Sequential choi_crnn(const ChoiCrnnOptions& options) {
  Sequential network;  // 1366 × 96 × 1, time by mel
  const auto block = [&](int64_t filters, Pair pool) {
    network.add(Conv2D({.filters = filters, .kernel = 3, .padding = Padding::same}))
        .add(BatchNorm())
        .add(ActivationLayer({.function = ActivationFunction::elu}))
        .add(MaxPool2D({.pool = pool}))
        .add(Dropout({.rate = options.block_dropout}));
  };
  network
      .add(Permute({.order = {2, 1, 3}}))                   // 96 × 1366 × 1, mel by time
      .add(ZeroPadding2D({.padding = {{0, 0}, {37, 37}}}))  // 96 × 1440 × 1
      .add(BatchNorm({}, /*axis=*/2));                      // each frame a channel
  block(64, {2, 2});                                        // 48 × 720 × 64
  block(128, {3, 3});                                       // 16 × 240 × 128
  block(128, {4, 4});                                       // 4 × 60 × 128
  block(128, {4, 4});                                       // 1 × 15 × 128
  network
      .add(Reshape({.shape = {-1, 128}}))  // 15 steps × 128
      .add(keras1_gru(32, true))           // 15 × 32
      .add(keras1_gru(32, false))          // 32
      .add(Dropout({.rate = options.dropout}))
      .add(Dense({.units = options.classes, .activation = ActivationFunction::sigmoid}));
  return network;
}

}  // namespace melgrad
