#include "apps/evaluation.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/error.h"
#include "layers/dense.h"
#include "layers/reshape.h"
#include "tensor/autograd.h"

namespace melgrad::test {
namespace {

// A network whose two probabilities are softmax(x, 0): class 0 above zero.
Sequential sign_network() {
  Sequential network;
  network.add(Flatten()).add(Dense({.units = 2, .activation = ActivationFunction::softmax}));
  network.build({1, 1, 1}, {});
  for (NamedTensor& named : network.state()) {
    auto values = named.tensor.mutable_data<float>();
    std::fill(values.begin(), values.end(), 0.0f);
    if (named.name.ends_with("weight")) values[0] = 1;
  }
  return network;
}

// Three clips of 3, 2 and 1 segments, in mixed order.
Samples six_segments() {
  return {.input = {1, 1, 1},
          .inputs = {4, 1, -1, -1, -1, -2},
          .labels = {0, 1, 0, 0, 1, 1},
          .clip = {0, 1, 0, 0, 1, 2},
          .clips = 3};
}

TEST_CASE("a clip's prediction is the mean of its segments' probabilities") {
  Sequential network = sign_network();
  const Samples samples = six_segments();
  for (int64_t batch : {1, 4, 6, 100}) {
    const auto scores = predict(network, samples, batch);
    REQUIRE(scores.size() == 12);
    for (std::size_t i = 0; i < 6; ++i) {
      CHECK(scores[2 * i] == doctest::Approx(1 / (1 + std::exp(-samples.inputs[i]))));
      CHECK(scores[2 * i] + scores[2 * i + 1] == doctest::Approx(1));
    }
    // Segments: x > 0 is class 0. Right are 4 (0), -1 (1), -2 (1): three of six.
    const Evaluation segments = evaluate(network, samples, {}, batch, false);
    CHECK(segments.confusion.accuracy() == doctest::Approx(0.5));
    CHECK(segments.segment_accuracy == doctest::Approx(0.5));
    CHECK(segments.confusion.total() == 6);
    // Clip 0: mean of 0.982, 0.269, 0.269 = 0.507, class 0 although two of three segments say 1. Clip 1: 0.731 and
    // 0.269, just one half; clip 2 right.
    const Evaluation clips = evaluate(network, samples, {}, batch, true);
    CHECK(clips.confusion.total() == 3);
    CHECK(clips.confusion.count(0, 0) == 1);
    CHECK(clips.confusion.count(1, 1) >= 1);
    CHECK(clips.clips == 3);
    CHECK(clips.segments == 6);
    double loss = 0;
    for (std::size_t i = 0; i < 6; ++i)
      loss -= std::log(scores[2 * i + static_cast<std::size_t>(samples.labels[i])]) / 6;
    CHECK(clips.loss == doctest::Approx(loss));
  }
}

TEST_CASE("evaluation records nothing and changes nothing") {
  Sequential network = sign_network();
  const auto before = network.values();
  evaluate(network, six_segments(), {}, 4, true);
  for (const NamedTensor& parameter : network.parameters()) CHECK_FALSE(parameter.tensor.grad().defined());
  CHECK(grad_enabled());
}

TEST_CASE("a batch has the samples that were asked for, in that order") {
  const Samples samples{.input = {2}, .inputs = {1, 2, 3, 4, 5, 6}, .labels = {7, 8, 9}, .clip = {0, 1, 2}, .clips = 3};
  const Batch batch = make_batch(samples, std::vector<int64_t>{2, 0, 2}, Device::cpu);
  CHECK(batch.inputs.shape() == Shape{3, 2});
  const auto inputs = batch.inputs.data<float>();
  CHECK(std::vector<float>(inputs.begin(), inputs.end()) == std::vector<float>{5, 6, 1, 2, 5, 6});
  const auto labels = batch.targets.data<int32_t>();
  CHECK(std::vector<int32_t>(labels.begin(), labels.end()) == std::vector<int32_t>{9, 7, 9});
}

TEST_CASE("the fingerprint sees a value, a label, an order, a shape") {
  const Samples samples = six_segments();
  CHECK(fingerprint(samples) == fingerprint(six_segments()));
  Samples value = samples, label = samples, order = samples, shape = samples;
  value.inputs[3] = std::nextafter(value.inputs[3], 0.0f);
  label.labels[5] = 0;
  std::swap(order.inputs[0], order.inputs[1]);
  shape.input = {1, 1};
  for (const Samples& other : {value, label, order, shape}) CHECK(fingerprint(other) != fingerprint(samples));
}

TEST_CASE("nearest centroid by segment and by clip") {
  // Two frames of one number each: their mean is what counts.
  const Samples train{.input = {2, 1, 1},
                      .inputs = {0, 2, 4, 6, 10, 12, 14, 16},
                      .labels = {0, 0, 1, 1},
                      .clip = {0, 0, 1, 1},
                      .clips = 2};
  // One clip of class 0: segments with mean 2 and 12; the clip's mean 7 is nearer to 3 than to 13.
  const Samples test{.input = {2, 1, 1}, .inputs = {1, 3, 11, 13}, .labels = {0, 0}, .clip = {0, 0}, .clips = 1};
  CHECK(nearest_centroid_accuracy(train, test, 2, false) == doctest::Approx(0.5));
  CHECK(nearest_centroid_accuracy(train, test, 2, true) == doctest::Approx(1));
}

}  // namespace
}  // namespace melgrad::test
