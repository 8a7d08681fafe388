// Measures of the K tags that a tagger puts first: how the 188-tag tagger of MagnaTagATune was judged.
#pragma once

#include <cstdint>
#include <vector>

#include "models/metrics/tagging.h"

namespace melgrad {

// Of one tag, over the clips that are labelled with it: in how many it is among the top K, and in how many not.
struct TagCapture {
  int64_t tag = 0;
  int64_t labelled = 0, captured = 0, missed = 0;
  double rate = 0;  // captured / labelled
};

// Of equal scores the first tag stands above the others, as argmax() has it. Clips without a label count nowhere.
class TopK {
 public:
  // Throws Error if the sizes do not fit.
  explicit TopK(const TagMatrix& matrix);

  int64_t clips() const { return static_cast<int64_t>(ranks_.size()); }
  int64_t skipped() const { return skipped_; }  // clips without a label

  // The share of clips whose top k hold at least the fraction p of their labels, 0 < p <= 1.
  double share_holding(int64_t k, double p) const;
  // The mean over clips of the share of the top k that are labels.
  double precision(int64_t k) const;
  // Every tag that some clip has, highest rate first; of equal rates the one with more labels.
  std::vector<TagCapture> captures(int64_t k) const;

 private:
  struct Label {
    int64_t tag, rank;  // 0: the highest score
  };
  std::vector<std::vector<Label>> ranks_;  // of each clip's labels, by rank
  int64_t tags_;
  int64_t skipped_ = 0;
};

}  // namespace melgrad
