// Metrics against scikit-learn and mir_eval: tests/golden/make_metrics.py.
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/error.h"
#include "models/metrics/classification.h"
#include "models/metrics/key_score.h"
#include "models/metrics/tagging.h"
#include "models/metrics/top_k.h"
#include "tensor/io/safetensors.h"

namespace melgrad::test {
namespace {

constexpr double tolerance = 1e-9;

const Tensor& golden(const std::string& name) {
  static const TensorFile file = load_safetensors(std::filesystem::path(MELGRAD_TEST_DATA) / "metrics.safetensors");
  const auto found = file.tensors.find(name);
  REQUIRE_MESSAGE(found != file.tensors.end(), name);
  return found->second;
}

std::span<const double> numbers(const std::string& name) {
  return golden(name).data<double>();
}
std::span<const int32_t> integers(const std::string& name) {
  return golden(name).data<int32_t>();
}

bool near(double value, double expected) {
  return std::abs(value - expected) <= tolerance;  // a NaN is not
}

TagMatrix matrix_of(const std::string& name, std::span<const float> truth) {
  const Tensor& scores = golden(name + "/scores");
  return {scores.data<float>(), truth, scores.shape()[0], scores.shape()[1]};
}

TEST_CASE("ROC-AUC and average precision a tag and their macro mean are scikit-learn's, ties and weights included") {
  const TagRankings rankings(matrix_of("tags", golden("tags/truth").data<float>()));
  const auto check = [&](const std::string& name, const auto& measures_of, const RankingMeasures& macro) {
    CAPTURE(name);
    const auto both = integers("tags/" + name + "/both_kinds");
    for (std::size_t i = 0; i < both.size(); ++i) {
      CAPTURE(both[i]);
      const RankingMeasures measures = measures_of(both[i]);
      CHECK(near(measures.roc_auc, numbers("tags/" + name + "/roc_auc")[i]));
      CHECK(near(measures.average_precision, numbers("tags/" + name + "/average_precision")[i]));
    }
    CHECK(near(macro.roc_auc, numbers("tags/" + name + "/macro")[0]));
    CHECK(near(macro.average_precision, numbers("tags/" + name + "/macro")[1]));
  };
  const auto per_tag = rankings.per_tag();
  REQUIRE(per_tag.size() == 7);
  check(
      "plain", [&](int32_t tag) { return per_tag[static_cast<std::size_t>(tag)].measures; }, rankings.macro());
  CHECK(rankings.tags_counted() == 5);
  CHECK(per_tag[5].positives == 0);
  CHECK(per_tag[6].positives == 60);
  for (std::size_t tag : {5u, 6u}) {  // none or all: there is nothing to rank
    CHECK(std::isnan(per_tag[tag].measures.roc_auc));
    CHECK(std::isnan(per_tag[tag].measures.average_precision));
  }
  const auto weights = integers("tags/weights");
  const TagMatrix matrix = matrix_of("tags", golden("tags/truth").data<float>());
  const auto weighted = [&](int32_t tag) {
    std::vector<float> scores, truth;
    for (int64_t clip = 0; clip < matrix.clips; ++clip) {
      scores.push_back(matrix.scores[static_cast<std::size_t>(clip * matrix.tags + tag)]);
      truth.push_back(matrix.truth[static_cast<std::size_t>(clip * matrix.tags + tag)]);
    }
    return Ranking(scores, truth).measures(weights);
  };
  check("weighted", weighted, rankings.macro(weights));
}

TEST_CASE("exact match and the counts of each tag at a threshold are scikit-learn's") {
  const TagMatrix matrix = matrix_of("tags", golden("tags/truth").data<float>());
  for (const char* threshold : {"0.3", "0.5", "0.95"}) {
    CAPTURE(threshold);
    const ThresholdMeasures measures = measure_at_threshold(matrix, std::stod(threshold));
    CHECK(near(measures.exact_match, numbers(fmt::format("tags/exact_match/{}", threshold))[0]));
    const auto table = numbers(fmt::format("tags/confusion/{}", threshold));  // tn, fp, fn, tp
    for (std::size_t tag = 0; tag < measures.per_tag.size(); ++tag) {
      const TagDecisions& decisions = measures.per_tag[tag];
      const auto at = [&](std::size_t i) { return static_cast<int64_t>(table[tag * 4 + i]); };
      CHECK(decisions.captured == at(3));
      CHECK(decisions.labelled == at(2) + at(3));
      CHECK(decisions.predicted == at(1) + at(3));
      CHECK(decisions.right == at(0) + at(3));
    }
  }
}

TEST_CASE("top K of one label is scikit-learn's top-k accuracy; of several, the definition") {
  const auto label = integers("top_k/label");
  std::vector<float> one_hot(label.size() * 9);
  for (std::size_t i = 0; i < label.size(); ++i) one_hot[i * 9 + static_cast<std::size_t>(label[i])] = 1;
  const TopK single(matrix_of("top_k", one_hot));
  for (int64_t k = 1; k < 9; ++k)
    for (double p : {0.1, 0.5, 1.0})
      CHECK(near(single.share_holding(k, p), numbers("top_k/accuracy")[static_cast<std::size_t>(k - 1)]));

  const TopK several(matrix_of("top_k", golden("top_k/truth").data<float>()));
  CHECK(several.skipped() >= 1);
  CHECK(several.clips() + several.skipped() == 50);
  for (int64_t k = 1; k <= 9; ++k) {
    CAPTURE(k);
    CHECK(near(several.precision(k), numbers("top_k/precision")[static_cast<std::size_t>(k - 1)]));
    for (std::size_t i = 0; i < 6; ++i) {
      const double p = 0.5 + 0.1 * static_cast<double>(i);
      CHECK(near(several.share_holding(k, std::min(p, 1.0)),
                 numbers("top_k/holding")[static_cast<std::size_t>(k - 1) * 6 + i]));
    }
  }
  const auto captures = several.captures(3);
  for (std::size_t i = 0; i < captures.size(); ++i) {
    const TagCapture& tag = captures[i];
    const auto row = static_cast<std::size_t>(tag.tag) * 2;
    CHECK(static_cast<double>(tag.captured) == numbers("top_k/captured_missed_3")[row]);
    CHECK(static_cast<double>(tag.missed) == numbers("top_k/captured_missed_3")[row + 1]);
    CHECK(tag.labelled == tag.captured + tag.missed);
    if (i > 0) CHECK(captures[i - 1].rate >= tag.rate);
  }
}

TEST_CASE("accuracy, confusion, precision, recall and F1 are scikit-learn's, classes missing and one alone included") {
  for (const std::string name : {"several", "one", "one_wrong"}) {
    CAPTURE(name);
    const auto get = [&](const char* what) { return fmt::format("classes/{}/{}", name, what); };
    ConfusionMatrix confusion(5);
    for (std::size_t i = 0; i < integers(get("truth")).size(); ++i)
      confusion.add(integers(get("truth"))[i], integers(get("predicted"))[i]);
    CHECK(near(confusion.accuracy(), numbers(get("accuracy"))[0]));
    for (int64_t i = 0; i < 25; ++i)
      CHECK(static_cast<double>(confusion.count(i / 5, i % 5)) ==
            numbers(get("confusion"))[static_cast<std::size_t>(i)]);
    const auto each = confusion.per_class();
    for (std::size_t c = 0; c < 5; ++c) {
      CHECK(near(each[c].precision, numbers(get("per_class"))[c]));
      CHECK(near(each[c].recall, numbers(get("per_class"))[5 + c]));
      CHECK(near(each[c].f1, numbers(get("per_class"))[10 + c]));
    }
    const ClassMeasures macro = confusion.macro();
    CHECK(near(macro.precision, numbers(get("macro"))[0]));
    CHECK(near(macro.recall, numbers(get("macro"))[1]));
    CHECK(near(macro.f1, numbers(get("macro"))[2]));
  }
}

TEST_CASE("the weighted score of every pair of keys is mir_eval's; fifths below are the only difference of the other") {
  int fifths_below = 0;
  for (int64_t truth = 0; truth < 24; ++truth) {
    for (int64_t estimate = 0; estimate < 24; ++estimate) {
      const auto key = [](int64_t i) { return Key{static_cast<int>(i / 2), i % 2 == 1}; };
      KeyScore score;
      score.add(key(truth), key(estimate));
      CHECK(near(score.score(Fifths::ascending),
                 numbers("keys/weighted_score")[static_cast<std::size_t>(truth * 24 + estimate)]));
      if (score.count(KeyRelation::fifth_below) == 1) {
        ++fifths_below;
        CHECK(score.score(Fifths::both) == 0.5);
        CHECK((estimate / 2 - truth / 2 + 12) % 12 == 5);  // a fourth above
      } else {
        CHECK(score.score(Fifths::both) == score.score(Fifths::ascending));
      }
    }
  }
  CHECK(fifths_below == 24);
}

}  // namespace
}  // namespace melgrad::test
