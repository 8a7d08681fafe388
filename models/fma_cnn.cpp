#include "models/fma_cnn.h"

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/pooling.h"
#include "layers/reshape.h"

namespace melgrad {

Sequential fma_cnn(const FmaCnnOptions& options) {
  Sequential network;  // 1024 × 128 × 1, time by mel
  const auto block = [&](int64_t filters, Pair pool) {
    network.add(Conv2D({.filters = filters, .kernel = 3, .padding = Padding::same}))
        .add(BatchNorm())
        .add(ActivationLayer({.function = ActivationFunction::relu}))
        .add(MaxPool2D({.pool = pool}));
  };
  network.add(Permute({.order = {2, 1, 3}}));  // 128 × 1024 × 1, mel by time
  block(32, {2, 4});                           // 64 × 256 × 32
  block(64, {2, 4});                           // 32 × 64 × 64
  block(128, {2, 4});                          // 16 × 16 × 128
  block(128, {2, 2});                          // 8 × 8 × 128
  block(256, {2, 2});                          // 4 × 4 × 256
  network
      .add(GlobalAveragePool())  // 256
      .add(Dropout({.rate = options.dropout}))
      .add(Dense({.units = options.classes, .activation = ActivationFunction::softmax}));
  return network;
}

}  // namespace melgrad
