// Measures of taggers: several tags a clip, each with a score.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/metrics/ranking.h"

namespace melgrad {

// Row-major (clips, tags), borrowed. truth: 0 or 1.
struct TagMatrix {
  std::span<const float> scores;
  std::span<const float> truth;
  int64_t clips = 0, tags = 0;
};

struct TagRanking {
  int64_t positives = 0;
  RankingMeasures measures;  // NaN for a tag that all clips have, or none
};

// Every tag's ranking, sorted once.
class TagRankings {
 public:
  // Throws Error if the sizes do not fit, and as Ranking does.
  explicit TagRankings(const TagMatrix& matrix);

  std::vector<TagRanking> per_tag() const;
  // The mean over the tags that have both kinds; NaN if none has. With weights: clip i counted weights[i] times.
  RankingMeasures macro() const;
  RankingMeasures macro(std::span<const int32_t> weights) const;
  // How many tags macro() is the mean of.
  int64_t tags_counted() const;

 private:
  std::vector<Ranking> rankings_;
};

// What a threshold makes of a tag: predicted where the score is at least as high.
struct TagDecisions {
  int64_t labelled = 0;   // clips that have the tag
  int64_t predicted = 0;  // clips that were given it
  int64_t captured = 0;   // both
  int64_t right = 0;      // clips where prediction and label agree
};

struct ThresholdMeasures {
  double exact_match = 0;             // the share of clips all of whose tags are right
  std::vector<TagDecisions> per_tag;  // (tags)
};
ThresholdMeasures measure_at_threshold(const TagMatrix& matrix, double threshold);

}  // namespace melgrad
