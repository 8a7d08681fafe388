// How well scores rank what has a tag above what has not: area under the ROC curve, and average precision.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace melgrad {

struct RankingMeasures {
  double roc_auc = 0;            // the chance that a positive stands above a negative; a tie counts half
  double average_precision = 0;  // sum over thresholds of the precision times the gain in recall, not interpolated
};

// Scores of one tag for n clips, sorted once, so that each weighting of the clips (models/metrics/bootstrap.h) costs one
// pass. Both measures are scikit-learn's roc_auc_score and average_precision_score, equal scores being one threshold.
class Ranking {
 public:
  // scores (n); truth (n) of 0 and 1. Throws Error for other targets, and for scores that are not a number.
  Ranking(std::span<const float> scores, std::span<const float> truth);

  int64_t positives() const { return positives_; }
  // Without both kinds neither measure means anything.
  bool has_both_kinds() const { return positives_ > 0 && positives_ < static_cast<int64_t>(order_.size()); }

  // NaN without both kinds.
  RankingMeasures measures() const;
  // Clip i counted weights[i] times.
  RankingMeasures measures(std::span<const int32_t> weights) const;

 private:
  struct Entry {
    uint32_t clip;
    bool positive;
    bool last_of_equals;
  };
  template <class Weight>
  RankingMeasures measure(const Weight& weight_of) const;

  std::vector<Entry> order_;  // from the highest score
  int64_t positives_ = 0;
};

}  // namespace melgrad
