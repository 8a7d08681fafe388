#include <doctest/doctest.h>

#include "kernels/error.h"
#include "kernels/philox.h"
#include "models/metrics/classification.h"
#include "models/metrics/nearest_centroid.h"

namespace melgrad {
namespace {

TEST_CASE("argmax is the first of equals") {
  CHECK(argmax(std::vector<float>{0.1f, 0.7f, 0.2f}) == 1);
  CHECK(argmax(std::vector<float>{0.4f, 0.2f, 0.4f}) == 0);
  CHECK(argmax(std::vector<float>{-3, -2, -2}) == 1);
  CHECK(argmax(std::vector<float>{5}) == 0);
}

TEST_CASE("a confusion matrix counts truth in rows, prediction in columns") {
  ConfusionMatrix confusion(3);
  CHECK(confusion.accuracy() == 0);  // of nothing
  confusion.add(0, 0);
  confusion.add(0, 2);
  confusion.add(2, 2);
  confusion.add(2, 2);
  CHECK(confusion.count(0, 2) == 1);
  CHECK(confusion.count(2, 0) == 0);
  CHECK(confusion.count(2, 2) == 2);
  CHECK(confusion.total() == 4);
  CHECK(confusion.accuracy() == doctest::Approx(0.75));
  for (const auto& [truth, predicted] : {std::pair{3, 0}, {0, 3}, {-1, 0}, {0, -1}})
    CHECK_THROWS_AS(confusion.add(truth, predicted), Error);
}

TEST_CASE("rows are averaged by group, whatever their order") {
  // Groups 2, 0, 2: rows (1, 2), (10, 20), (3, 6).
  const std::vector<float> scores{1, 2, 10, 20, 3, 6};
  const std::vector<int32_t> group{2, 0, 2};
  CHECK(mean_by_group(scores, 2, group, 3) == std::vector<float>{10, 20, 0, 0, 2, 4});
  CHECK(mean_by_group({}, 2, {}, 0).empty());
  CHECK_THROWS_WITH_AS(mean_by_group(scores, 2, group, 2), doctest::Contains("group 2"), Error);
  CHECK_THROWS_AS(mean_by_group(scores, 2, std::vector<int32_t>{0, -1, 1}, 3), Error);
}

TEST_CASE("nearest centroid: coordinates count by their deviation, not their scale") {
  // Two classes that differ in the second coordinate; the first is a thousand times larger and tells nothing.
  const std::vector<float> vectors{1000, 1, -1000, 1.1f, 1000, -1, -1000, -1.1f};
  const std::vector<int32_t> labels{0, 0, 1, 1};
  const NearestCentroid classifier(vectors, 2, labels, 2);
  CHECK(classifier.predict(std::vector<float>{900, 0.4f}) == 0);
  CHECK(classifier.predict(std::vector<float>{-900, -0.4f}) == 1);
}

TEST_CASE("nearest centroid: an absent class is never predicted, a constant coordinate tells nothing") {
  const std::vector<float> vectors{7, 1, 7, 2, 7, 9};
  const std::vector<int32_t> labels{2, 2, 3};
  const NearestCentroid classifier(vectors, 2, labels, 5);
  CHECK(classifier.predict(std::vector<float>{-100, 0}) == 2);
  CHECK(classifier.predict(std::vector<float>{0, 100}) == 3);
  CHECK_THROWS_AS(NearestCentroid(vectors, 2, labels, 3), Error);
  CHECK_THROWS_AS(NearestCentroid({}, 2, {}, 3), Error);
  CHECK_THROWS_AS(NearestCentroid(vectors, 3, labels, 4), Error);
}

TEST_CASE("nearest centroid finds clouds around corners") {
  Generator random(1, Draw::test);
  std::vector<float> vectors;
  std::vector<int32_t> labels;
  const auto sample = [&](int32_t label) {
    return std::vector<float>{static_cast<float>((label & 1) + random.uniform(-0.4, 0.4)),
                              static_cast<float>((label >> 1) + random.uniform(-0.4, 0.4))};
  };
  for (int32_t i = 0; i < 400; ++i) {
    const auto vector = sample(i % 4);
    vectors.insert(vectors.end(), vector.begin(), vector.end());
    labels.push_back(i % 4);
  }
  const NearestCentroid classifier(vectors, 2, labels, 4);
  for (int32_t i = 0; i < 100; ++i) CHECK(classifier.predict(sample(i % 4)) == i % 4);
}

}  // namespace
}  // namespace melgrad
