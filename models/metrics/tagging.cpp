#include "models/metrics/tagging.h"

#include <cmath>
#include <limits>

#include "kernels/error.h"

namespace melgrad {
namespace {

void expect_sizes(const TagMatrix& matrix) {
  const auto size = static_cast<std::size_t>(matrix.clips * matrix.tags);
  require(matrix.clips >= 0 && matrix.tags >= 1 && matrix.scores.size() == size && matrix.truth.size() == size,
          "tags: {} scores and {} targets for {} clips of {} tags", matrix.scores.size(), matrix.truth.size(),
          matrix.clips, matrix.tags);
}

std::vector<float> column_of(std::span<const float> values, int64_t columns, int64_t column) {
  std::vector<float> result;
  for (auto i = static_cast<std::size_t>(column); i < values.size(); i += static_cast<std::size_t>(columns))
    result.push_back(values[i]);
  return result;
}

// Over what `measure` makes of each ranking, the NaN left out.
template <class Measure>
RankingMeasures mean_over(const std::vector<Ranking>& rankings, const Measure& measure) {
  RankingMeasures sum;
  double counted = 0;
  for (const Ranking& ranking : rankings) {
    const RankingMeasures one = measure(ranking);
    if (std::isnan(one.roc_auc)) continue;
    sum.roc_auc += one.roc_auc;
    sum.average_precision += one.average_precision;
    ++counted;
  }
  return {sum.roc_auc / counted, sum.average_precision / counted};  // 0 / 0 is NaN, as it should be
}

}  // namespace

TagRankings::TagRankings(const TagMatrix& matrix) {
  expect_sizes(matrix);
  for (int64_t tag = 0; tag < matrix.tags; ++tag)
    rankings_.emplace_back(column_of(matrix.scores, matrix.tags, tag), column_of(matrix.truth, matrix.tags, tag));
}

std::vector<TagRanking> TagRankings::per_tag() const {
  std::vector<TagRanking> tags;
  for (const Ranking& ranking : rankings_) tags.push_back({ranking.positives(), ranking.measures()});
  return tags;
}

RankingMeasures TagRankings::macro() const {
  return mean_over(rankings_, [](const Ranking& ranking) { return ranking.measures(); });
}

RankingMeasures TagRankings::macro(std::span<const int32_t> weights) const {
  return mean_over(rankings_, [&](const Ranking& ranking) { return ranking.measures(weights); });
}

int64_t TagRankings::tags_counted() const {
  int64_t counted = 0;
  for (const Ranking& ranking : rankings_) counted += ranking.has_both_kinds();
  return counted;
}

ThresholdMeasures measure_at_threshold(const TagMatrix& matrix, double threshold) {
  expect_sizes(matrix);
  ThresholdMeasures measures;
  measures.per_tag.resize(static_cast<std::size_t>(matrix.tags));
  int64_t exact = 0;
  for (int64_t clip = 0; clip < matrix.clips; ++clip) {
    bool all_right = true;
    for (int64_t tag = 0; tag < matrix.tags; ++tag) {
      const auto i = static_cast<std::size_t>(clip * matrix.tags + tag);
      const bool labelled = matrix.truth[i] == 1, predicted = static_cast<double>(matrix.scores[i]) >= threshold;
      TagDecisions& decisions = measures.per_tag[static_cast<std::size_t>(tag)];
      decisions.labelled += labelled;
      decisions.predicted += predicted;
      decisions.captured += labelled && predicted;
      decisions.right += labelled == predicted;
      all_right = all_right && labelled == predicted;
    }
    exact += all_right;
  }
  measures.exact_match = matrix.clips == 0 ? 0.0 : static_cast<double>(exact) / static_cast<double>(matrix.clips);
  return measures;
}

}  // namespace melgrad
