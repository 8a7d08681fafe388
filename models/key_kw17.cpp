#include "models/key_kw17.h"

#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/pooling.h"
#include "layers/reshape.h"

namespace melgrad {

Sequential key_kw17(const KeyKw17Options& options) {
  constexpr auto elu = ActivationFunction::elu;
  constexpr auto softmax = ActivationFunction::softmax;

  Sequential network;  // frames × 105 × 1
  for (int i = 0; i < 5; ++i)
    network.add(Conv2D({.filters = 8, .kernel = 5, .padding = Padding::same, .activation = elu}));
  network
      .add(Flatten({.keep = 1}))                     // frames × 840
      .add(Dense({.units = 48, .activation = elu}))  // frames × 48: each frame by itself
      .add(GlobalAveragePool())                      // 48: the mean over time
      .add(Dense({.units = options.classes, .activation = softmax}));
  return network;
}

}  // namespace melgrad
