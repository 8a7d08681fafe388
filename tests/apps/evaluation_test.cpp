#include "apps/evaluation.h"

#include <doctest/doctest.h>

#include <cmath>

#include "apps/report_evaluation.h"
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
  CHECK(evaluate_centroid(train, test, {}, 2, false).confusion.accuracy() == doctest::Approx(0.5));
  CHECK(evaluate_centroid(train, test, {}, 2, true).confusion.accuracy() == doctest::Approx(1));
}

TEST_CASE("what targets are") {
  const LossOptions cross_entropy, shared{.target_scale = TargetScale::sum_to_one},
      binary{.loss = Loss::binary_cross_entropy}, squared{.loss = Loss::mse};
  const auto rows = [](std::vector<float> targets) {
    return Samples{.targets = std::move(targets), .outputs = 2, .clip = {0, 1}, .clips = 2};
  };
  CHECK(kind_of(six_segments(), squared) == TargetKind::classes);  // labels
  CHECK(kind_of(rows({1, 0, 0.3f, 0.7f}), cross_entropy) == TargetKind::classes);
  CHECK(kind_of(rows({1, 0, 1, 1}), cross_entropy) == TargetKind::tags);
  for (const LossOptions& loss : {shared, binary, squared})
    CHECK(kind_of(rows({1, 0, 0, 1}), loss) == TargetKind::tags);
  CHECK(kind_of(rows({1, 0, 0.5f, 1}), squared) == TargetKind::values);
}

// The sign network on tags: clip 0 has both, clip 1 the second, clip 2 the first.
Samples tagged_segments() {
  Samples samples = six_segments();
  samples.labels.clear();
  samples.outputs = 2;
  samples.targets = {1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0};
  return samples;
}

TEST_CASE("tags: scores and targets of clips, their segments averaged") {
  Sequential network = sign_network();
  const LossOptions loss{.loss = Loss::binary_cross_entropy};
  const Evaluation clips = evaluate(network, tagged_segments(), loss, 4, true);
  CHECK(clips.kind == TargetKind::tags);
  CHECK(clips.units() == 3);
  CHECK(clips.targets == std::vector<float>{1, 1, 0, 1, 1, 0});
  CHECK(clips.scores == mean_by_group(predict(network, tagged_segments(), 4), 2, tagged_segments().clip, 3));
  const Evaluation segments = evaluate(network, tagged_segments(), loss, 4, false);
  CHECK(segments.units() == 6);
  CHECK(segments.targets == tagged_segments().targets);
}

TEST_CASE("a sample of several labels counts as right where the first prediction is any of them") {
  const Tensor output = Tensor::from(std::vector<float>{2, 1, 0, 2, 1, 0}, {2, 3});
  const Tensor targets = Tensor::from(std::vector<float>{1, 1, 0, 0, 1, 1}, {2, 3});
  CHECK(count_correct({}, output, ActivationFunction::softmax, targets) == 1);
}

TEST_CASE("JSON of tags: figures with intervals and protocol, null where a tag has no negatives") {
  Evaluation evaluation{.clips = 4, .segments = 8, .by_clip = true, .kind = TargetKind::tags};
  evaluation.tags = 2;
  evaluation.scores = {0.9f, 0.8f, 0.6f, 0.7f, 0.4f, 0.6f, 0.2f, 0.9f};
  evaluation.targets = {1, 1, 0, 1, 1, 1, 0, 1};
  const Protocol protocol{.split = "test", .words = "by hand", .skipped = 3, .labels = {"a", "b"}};
  const Json json = evaluation_json(evaluation, protocol);
  CHECK(json["roc_auc"].get<double>() ==
        doctest::Approx(0.75));  // of tag a alone: 0.9 and 0.4 above 0.6 and 0.2 in three of four
  CHECK(json["pr_auc"].get<double>() == doctest::Approx((1 + 2.0 / 3) / 2));
  CHECK(json["tags_counted"] == 1);
  CHECK(json["samples"] == 4);
  CHECK(json["segments"] == 8);
  CHECK(json["skipped"] == 3);
  CHECK(json["protocol"] == "by hand");
  CHECK(json["counted"] == "clips");
  CHECK(json["roc_auc_interval"][0].get<double>() <= 0.75);
  CHECK(json["roc_auc_interval"][1].get<double>() >= 0.75);
  CHECK(json["exact_match"] == 0.5);  // 0.6 is above one half: clip 1 wrong; 0.4 below: clip 2 wrong
  CHECK(json["per_tag"][0]["positives"] == 2);
  CHECK(json["per_tag"][1]["roc_auc"].is_number_float());
  CHECK(Json::parse(json.dump())["per_tag"][1]["roc_auc"].is_null());
  CHECK(json["top_k"]["precision"][0].get<double>() == doctest::Approx(1.0));
  const std::string text = evaluation_text(evaluation, protocol);
  for (const char* part : {"by hand", "3 files skipped", "4 clips, their 8 segments averaged", "1 tags of 2"})
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
}

TEST_CASE("JSON of keys has the MIREX score and what the misses were") {
  Evaluation evaluation{.clips = 3, .segments = 3, .by_clip = true, .truth = {1, 1, 1}, .predicted = {1, 3, 0}};
  evaluation.confusion = ConfusionMatrix(4);
  for (int predicted : {1, 3, 0}) evaluation.confusion.add(1, predicted);
  const Json json = evaluation_json(
      evaluation,
      {.split = "test", .words = "w", .skipped = 0, .labels = {"C minor", "C major", "G minor", "G major"}});
  CHECK(json["mirex"].get<double>() == doctest::Approx((1 + 0.5 + 0.2) / 3));
  CHECK(json["key_relations"]["fifth"] == 1);
  CHECK(json["key_relations"]["parallel"] == 1);
  CHECK(json["accuracy"].get<double>() == doctest::Approx(1.0 / 3));
  CHECK_FALSE(evaluation_json(evaluation, {.split = "t", .words = "w", .skipped = 0, .labels = {"a", "b", "c", "d"}})
                  .contains("mirex"));
}

TEST_CASE("nearest centroid of tags: where a tag follows from the features, it ranks them right") {
  Samples train{.input = {1, 2, 1}, .outputs = 2, .clips = 40};
  for (int i = 0; i < 40; ++i) {
    const float loud = static_cast<float>(i % 2), high = static_cast<float>(i / 2 % 2);
    train.inputs.insert(train.inputs.end(), {loud + 0.01f * static_cast<float>(i % 7), high});
    train.targets.insert(train.targets.end(), {loud, high});
    train.clip.push_back(i);
  }
  const Evaluation centroid = evaluate_centroid(train, train, {.loss = Loss::binary_cross_entropy}, 2, true);
  CHECK(TagRankings(centroid.tag_matrix()).macro().roc_auc == 1);
}

}  // namespace
}  // namespace melgrad::test
