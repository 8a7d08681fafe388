// Trainings with fused blocks: the same bytes on any number of threads, and the loss that the layers one by one have.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "kernels/philox.h"
#include "kernels/thread_pool.h"
#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv1d.h"
#include "layers/dense.h"
#include "layers/loss.h"
#include "layers/pooling.h"
#include "layers/reshape.h"
#include "layers/sequential.h"
#include "optim/sgd.h"
#include "tensor/autograd.h"

namespace melgrad {
namespace {

constexpr int64_t samples = 6561, batch = 4, classes = 3;

// SampleCNN's blocks on fewer samples, long enough that blocks of tiles are worked on one by one.
Sequential network_of(uint64_t seed) {
  Sequential network;
  for (int64_t filters : {16, 20, 32})
    network.add(Conv1D({.filters = filters, .kernel = 3, .padding = Padding::same}))
        .add(BatchNorm())
        .add(ActivationLayer({.function = ActivationFunction::relu}))
        .add(MaxPool1D({.pool = 3}));
  network.add(GlobalAveragePool()).add(Dense({.units = classes, .activation = ActivationFunction::softmax}));
  network.build({samples, 1}, {.seed = seed});
  return network;
}

struct Batch {
  Tensor x, labels;
};

// A tone a class, at a random phase, under noise.
Batch batch_of(uint32_t step) {
  Generator random(3, Draw::test, step);
  std::vector<float> x(batch * samples);
  std::vector<int32_t> labels(batch);
  for (int64_t i = 0; i < batch; ++i) {
    labels[i] = static_cast<int32_t>(random.below(classes));
    const double phase = random.normal(), frequency = 0.02 * std::pow(2.0, labels[i]);
    for (int64_t t = 0; t < samples; ++t)
      x[i * samples + t] = static_cast<float>(std::sin(frequency * static_cast<double>(t) + phase) + random.normal());
  }
  return {Tensor::from(x, {batch, samples, 1}), Tensor::from(labels, {batch})};
}

struct Training {
  std::vector<double> losses;
  std::vector<float> weights;
};

Training train(uint64_t seed, uint32_t steps, bool fuse) {
  Sequential network = network_of(seed);
  Sgd sgd(as_parameters(network.parameters()), {.learning_rate = 0.01, .momentum = 0.9, .nesterov = true});
  Training result;
  for (uint32_t step = 0; step < steps; ++step) {
    const Batch data = batch_of(step);
    const Tensor loss =
        cross_entropy(network.pre_activation(data.x, {.training = true, .step = step, .fuse = fuse}), data.labels);
    result.losses.push_back(loss.item());
    sgd.zero_grad();
    loss.backward();
    sgd.step();
  }
  for (const NamedTensor& named : network.state())
    result.weights.insert(result.weights.end(), named.tensor.data<float>().begin(), named.tensor.data<float>().end());
  return result;
}

TEST_CASE("fifty steps give the same weights on 1, 2 and 4 threads, byte for byte") {
  std::vector<float> first;
  for (int threads : {1, 2, 4}) {
    set_threads(threads);
    const std::vector<float> weights = train(1, 50, true).weights;
    if (threads == 1) first = weights;
    REQUIRE(weights.size() == first.size());
    CHECK(std::memcmp(weights.data(), first.data(), first.size() * sizeof(float)) == 0);
  }
  set_threads(0);
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]) / static_cast<double>(a.size());
  return sum;
}

TEST_CASE("two hundred steps: the loss of fused blocks follows that of the layers within the spread of two seeds") {
  const Training fused = train(1, 200, true), layers = train(1, 200, false), other = train(2, 200, false);
  const double apart = distance(fused.losses, layers.losses), spread = distance(layers.losses, other.losses);
  MESSAGE("fused and layers differ by " << apart << " on average, two seeds by " << spread);
  CHECK(apart < spread);
  CHECK(layers.losses.back() < layers.losses.front());
}

}  // namespace
}  // namespace melgrad
