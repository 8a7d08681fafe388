#include "models/key_cnn.h"

#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/pooling.h"

namespace melgrad {

Sequential key_cnn(const KeyCnnOptions& options) {
  constexpr auto relu = ActivationFunction::relu;
  constexpr auto softmax = ActivationFunction::softmax;
  constexpr auto same = Padding::same;

  Sequential network;  // 88 × 88 × 1
  network.add(Conv2D({.filters = 16, .kernel = 2, .padding = same, .activation = relu}))
      .add(Conv2D({.filters = 32, .kernel = 2, .padding = same, .activation = relu}))
      .add(MaxPool2D({.pool = 2}))  // 44 × 44 × 32
      .add(Conv2D({.filters = 64, .kernel = 2, .padding = same, .activation = relu}))
      .add(Conv2D({.filters = 32, .kernel = 2, .padding = same, .activation = relu}))
      .add(MaxPool2D({.pool = 2}))  // 22 × 22 × 32
      .add(GlobalAveragePool())     // 32
      .add(Dense({.units = options.classes, .activation = softmax}));
  return network;
}

}  // namespace melgrad
