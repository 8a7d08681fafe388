#include "models/gtzan_cnn.h"

#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/reshape.h"
#include "layers/pooling.h"

namespace melgrad {

Sequential gtzan_cnn(const GtzanCnnOptions& options) {
  constexpr auto relu = ActivationFunction::relu;
  constexpr auto softmax = ActivationFunction::softmax;
  constexpr auto same = Padding::same;

  Sequential network;  // 130 × 13 × 1
  network
      .add(Conv2D({.filters = 48, .kernel = 4, .activation = relu}))  // 127 × 10 × 48
      .add(MaxPool2D({.pool = 4, .stride = 2, .padding = same}))      // 64 × 5
      .add(BatchNorm())
      .add(Conv2D({.filters = 32, .kernel = 3, .activation = relu}))  // 62 × 3 × 32
      .add(MaxPool2D({.pool = 3, .stride = 2, .padding = same}))      // 31 × 2
      .add(BatchNorm())
      .add(Conv2D({.filters = 16, .kernel = 2, .activation = relu}))  // 30 × 1 × 16
      .add(MaxPool2D({.pool = 2, .stride = 2, .padding = same}))      // 15 × 1
      .add(BatchNorm())
      .add(Flatten())  // 240
      .add(Dense({.units = 32, .activation = relu}))
      .add(Dropout({.rate = options.dropout}))
      .add(Dense({.units = options.classes, .activation = softmax}));
  return network;
}

}  // namespace melgrad
