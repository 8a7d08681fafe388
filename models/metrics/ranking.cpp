#include "models/metrics/ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/error.h"

namespace melgrad {

Ranking::Ranking(std::span<const float> scores, std::span<const float> truth) {
  require(scores.size() == truth.size(), "ranking: {} scores and {} targets", scores.size(), truth.size());
  std::vector<uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0u);
  for (float score : scores) require(!std::isnan(score), "ranking: a score is not a number");
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    const float target = truth[order[i]];
    require(target == 0 || target == 1, "ranking: a target is {}, expected 0 or 1", target);
    const bool last = i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]];
    order_.push_back({order[i], target == 1, last});
    positives_ += target == 1;
  }
}

template <class Weight>
RankingMeasures Ranking::measure(const Weight& weight_of) const {
  double positives = 0, negatives = 0;          // so far, equal scores together
  double new_positives = 0, new_negatives = 0;  // of this score
  double wins = 0, precision_sum = 0;
  for (const Entry& entry : order_) {
    (entry.positive ? new_positives : new_negatives) += weight_of(entry.clip);
    if (!entry.last_of_equals) continue;
    wins += new_negatives * (positives + new_positives / 2);
    positives += new_positives;
    negatives += new_negatives;
    if (new_positives > 0) precision_sum += new_positives * positives / (positives + negatives);
    new_positives = new_negatives = 0;
  }
  if (positives == 0 || negatives == 0) {
    constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
    return {nothing, nothing};
  }
  return {wins / (positives * negatives), precision_sum / positives};
}

RankingMeasures Ranking::measures() const {
  return measure([](uint32_t) { return 1.0; });
}

RankingMeasures Ranking::measures(std::span<const int32_t> weights) const {
  require(weights.size() == order_.size(), "ranking: {} weights for {} scores", weights.size(), order_.size());
  return measure([&](uint32_t clip) { return static_cast<double>(weights[clip]); });
}

}  // namespace melgrad
