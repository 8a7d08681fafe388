#include "models/sample_cnn.h"

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv1d.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/pooling.h"
#include "layers/reshape.h"

namespace melgrad {
namespace {

// A convolution with batch norm and ReLU.
void add_convolution(Sequential& network, const Conv1DOptions& options) {
  network.add(Conv1D(options)).add(BatchNorm()).add(ActivationLayer({.function = ActivationFunction::relu}));
}

// The modules' common end: one step left, (1, 512).
void add_head(Sequential& network, Initializer initializer, double dropout, int64_t classes) {
  add_convolution(network, {.filters = 512, .kernel = 1, .initializer = initializer});
  network.add(Dropout({.rate = dropout}))
      .add(Flatten())
      .add(Dense({.units = classes, .activation = ActivationFunction::sigmoid}));
}

}  // namespace

Sequential sample_cnn(const SampleCnnOptions& options) {
  Sequential network;  // 59049 × 1
  for (int64_t filters : {128, 128, 128, 256, 256, 256, 256, 256, 256, 512}) {
    add_convolution(network, {.filters = filters, .kernel = 3, .padding = Padding::same});
    network.add(MaxPool1D({.pool = 3}));  // 19683, 6561, … 3, 1
  }
  add_head(network, Initializer::glorot_uniform, options.dropout, options.classes);
  return network;
}

Sequential sample_mn(const SampleMnOptions& options) {
  require(options.base >= 2 && options.base <= 64, "sample-mn: base is {}, expected 2 to 64", options.base);
  require(options.depth >= 1 && options.depth <= 24, "sample-mn: depth is {}, expected 1 to 24", options.depth);
  constexpr auto he_uniform = Initializer::he_uniform;
  const int64_t m = options.base;

  Sequential network;  // m^(depth + 1) × 1
  add_convolution(network, {.filters = 128, .kernel = m, .stride = m, .initializer = he_uniform});
  for (int64_t module = 1; module <= options.depth; ++module) {
    const int64_t filters = module == options.depth ? 512 : module <= 2 ? 128 : 256;
    add_convolution(network, {.filters = filters, .kernel = m, .padding = Padding::same, .initializer = he_uniform});
    network.add(MaxPool1D({.pool = m}));
  }
  add_head(network, he_uniform, options.dropout, options.classes);
  return network;
}

}  // namespace melgrad
