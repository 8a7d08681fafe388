// Networks with weights from Keras's older .h5 files answer as Keras does: tests/golden/make_keras_files.py.
#include "models/interchange/keras_weights.h"

#include <doctest/doctest.h>

#include <fstream>

#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv1d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/dropout.h"
#include "layers/gru.h"
#include "layers/pooling.h"
#include "layers/reshape.h"
#include "tensor/io/safetensors.h"
#include "tests/layers/trace.h"
#include "tests/temporary_folder.h"

namespace melgrad {
namespace {

using test::check_trace_tensor;

const std::filesystem::path folder = std::filesystem::path(MELGRAD_TEST_DATA) / "keras";

void check_answers(Sequential& network, const std::string& name) {
  const TensorFile golden = load_safetensors(folder / "answers.safetensors");
  check_trace_tensor(name, network.forward(golden.tensors.at(name + "/x")), golden.tensors.at(name + "/y"), 1e-5);
}

Sequential keras3_network() {
  Sequential network;
  network.add(Conv2D({.filters = 5, .kernel = {3, 2}, .padding = Padding::same, .activation = ActivationFunction::elu}))
      .add(BatchNorm())
      .add(MaxPool2D({.pool = {1, 2}}))
      .add(Reshape({.shape = {8, 15}}))
      .add(Conv1D({.filters = 6, .padding = Padding::same, .bias = false}))
      .add(Gru({.units = 4, .return_sequences = true}))
      .add(Gru({.units = 3, .reset_after = false}))
      .add(Dense({.units = 5, .activation = ActivationFunction::softmax}));
  network.build({8, 6, 2});
  return network;
}

TEST_CASE("weights and whole models that Keras has saved") {
  for (const char* file : {"keras3.h5", "keras3_model.h5"}) {
    CAPTURE(file);
    Sequential network = keras3_network();
    network.load(from_keras(network, read_keras_file(folder / file)), file);
    check_answers(network, "keras3");
  }
}

Sequential theano_network() {
  Sequential network;
  network.add(Conv2D({.filters = 4, .kernel = {3, 5}, .padding = Padding::same, .activation = ActivationFunction::elu}))
      .add(BatchNorm())
      .add(MaxPool2D())
      .add(Flatten())
      .add(Dense({.units = 5, .activation = ActivationFunction::sigmoid}));
  network.build({7, 6, 2});
  return network;
}

TEST_CASE("Keras 1 on Theano: kernels (out, in, h, w) and flipped, rows of a dense layer (c, h, w), running_std") {
  Sequential network = theano_network();
  const auto layers = read_keras_file(folder / "keras1_theano.h5");
  network.load(from_keras(network, layers, KernelOrder::theano), "keras1_theano.h5");
  check_answers(network, "keras1_theano");
  CHECK_THROWS_WITH_AS(from_keras(network, layers), doctest::Contains("conv2d_1"), Error);
}

TEST_CASE("Keras 1's GRU in nine arrays") {
  Sequential network;
  const Gru::Options options{.units = 4,
                             .return_sequences = true,
                             .reset_after = false,
                             .recurrent_activation = Activation::hard_sigmoid_keras1};
  Gru::Options last = options;
  last.units = 3, last.return_sequences = false;
  network.add(Gru(options)).add(Gru(last)).add(Dropout({.rate = 0.3})).add(Dense({.units = 4}));
  network.build({6, 3});
  network.load(from_keras(network, read_keras_file(folder / "keras1_gru.h5")), "keras1_gru.h5");
  check_answers(network, "keras1_gru");
}

TEST_CASE("layers are paired by name where a mapping says so") {
  Sequential network = theano_network();
  auto layers = read_keras_file(folder / "keras1_theano.h5");
  std::swap(layers[0], layers[2]);
  LayerMapping mapping{
      {"convolution2d_1", "conv2d_1"}, {"batchnormalization_1", "batch_norm_1"}, {"dense_1", "dense_1"}};
  network.load(from_keras(network, layers, KernelOrder::theano, mapping), "mapped");
  check_answers(network, "keras1_theano");
  mapping.erase("dense_1");
  CHECK_THROWS_WITH_AS(from_keras(network, layers, KernelOrder::theano, mapping), doctest::Contains("dense_1"), Error);
}

TEST_CASE("what does not fit is refused by name") {
  const auto layers = read_keras_file(folder / "keras3.h5");
  Sequential fewer;
  fewer.add(Flatten()).add(Dense({.units = 5}));
  fewer.build({8, 6, 2});
  CHECK_THROWS_WITH_AS(from_keras(fewer, layers), doctest::Contains("6 layers with weights"), Error);
  Sequential wider;  // as keras3_network, with another number of units at the end
  wider.add(Conv2D({.filters = 5, .kernel = {3, 2}, .padding = Padding::same}))
      .add(BatchNorm())
      .add(MaxPool2D({.pool = {1, 2}}))
      .add(Reshape({.shape = {8, 15}}))
      .add(Conv1D({.filters = 6, .padding = Padding::same, .bias = false}))
      .add(Gru({.units = 4, .return_sequences = true}))
      .add(Gru({.units = 3, .reset_after = false}))
      .add(Dense({.units = 7}));
  wider.build({8, 6, 2});
  CHECK_THROWS_WITH_AS(from_keras(wider, layers), doctest::Contains("weight is (3, 5), expected (3, 7)"), Error);
}

TEST_CASE("files that are no Keras weights") {
  const test::TemporaryFolder temporary;
  CHECK_THROWS_WITH_AS(read_keras_file(temporary / "none.h5"), doctest::Contains("no such file"), Error);
  std::ofstream(temporary / "text.h5") << "no HDF5";
  CHECK_THROWS_WITH_AS(read_keras_file(temporary / "text.h5"), doctest::Contains("not an HDF5 file"), Error);
  std::ifstream whole(folder / "keras3.h5", std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(whole), {}};
  std::ofstream(temporary / "cut.h5", std::ios::binary) << bytes.substr(0, bytes.size() / 2);
  CHECK_THROWS_AS(read_keras_file(temporary / "cut.h5"), Error);
}

}  // namespace
}  // namespace melgrad
