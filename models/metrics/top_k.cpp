#include "models/metrics/top_k.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/error.h"

namespace melgrad {

TopK::TopK(const TagMatrix& matrix) : tags_(matrix.tags) {
  const auto tags = static_cast<std::size_t>(matrix.tags), clips = static_cast<std::size_t>(matrix.clips);
  require(matrix.scores.size() == clips * tags && matrix.truth.size() == clips * tags,
          "top K: {} scores and {} targets for {} clips of {} tags", matrix.scores.size(), matrix.truth.size(),
          matrix.clips, matrix.tags);
  std::vector<int64_t> order(tags);
  for (std::size_t clip = 0; clip < clips; ++clip) {
    const auto scores = matrix.scores.subspan(clip * tags, tags), truth = matrix.truth.subspan(clip * tags, tags);
    std::iota(order.begin(), order.end(), int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
    });
    std::vector<Label> labels;
    for (std::size_t rank = 0; rank < tags; ++rank)
      if (truth[static_cast<std::size_t>(order[rank])] == 1)
        labels.push_back({order[rank], static_cast<int64_t>(rank)});
    labels.empty() ? void(++skipped_) : ranks_.push_back(std::move(labels));
  }
}

double TopK::share_holding(int64_t k, double p) const {
  require(p > 0 && p <= 1, "top K: a share of {}, expected above 0 and at most 1", p);
  if (ranks_.empty()) return 0;
  int64_t holding = 0;
  for (const std::vector<Label>& labels : ranks_) {
    // So many labels are needed; a hair less than p times their number is still p, 0.7 times 10 being 7.000000000000001.
    const auto needed = static_cast<std::size_t>(std::ceil(p * static_cast<double>(labels.size()) - 1e-9));
    holding += labels[needed - 1].rank < k;
  }
  return static_cast<double>(holding) / static_cast<double>(ranks_.size());
}

double TopK::precision(int64_t k) const {
  require(k >= 1, "top K: K is {}, expected 1 or more", k);
  if (ranks_.empty()) return 0;
  int64_t captured = 0;
  for (const std::vector<Label>& labels : ranks_)
    captured += std::count_if(labels.begin(), labels.end(), [&](const Label& label) { return label.rank < k; });
  return static_cast<double>(captured) / static_cast<double>(k) / static_cast<double>(ranks_.size());
}

std::vector<TagCapture> TopK::captures(int64_t k) const {
  std::vector<TagCapture> all(static_cast<std::size_t>(tags_));
  for (std::size_t tag = 0; tag < all.size(); ++tag) all[tag].tag = static_cast<int64_t>(tag);
  for (const std::vector<Label>& labels : ranks_) {
    for (const Label& label : labels) {
      TagCapture& tag = all[static_cast<std::size_t>(label.tag)];
      ++tag.labelled;
      ++(label.rank < k ? tag.captured : tag.missed);
    }
  }
  std::erase_if(all, [](const TagCapture& tag) { return tag.labelled == 0; });
  for (TagCapture& tag : all) tag.rate = static_cast<double>(tag.captured) / static_cast<double>(tag.labelled);
  std::stable_sort(all.begin(), all.end(), [](const TagCapture& a, const TagCapture& b) {
    return a.rate != b.rate ? a.rate > b.rate : a.labelled > b.labelled;
  });
  return all;
}

}  // namespace melgrad
