// Measures of single-label classification.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace melgrad {

// Index of the largest score; the first of equals.
int64_t argmax(std::span<const float> scores);

// Of one class; a ratio of nothing is 0, as in scikit-learn with zero_division = 0.
struct ClassMeasures {
  double precision = 0;  // right / predicted
  double recall = 0;     // right / labelled
  double f1 = 0;         // their harmonic mean
  int64_t labelled = 0, predicted = 0, right = 0;
};

// How often each class was taken for each other: count(truth, predicted).
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(int64_t classes);
  void add(int64_t truth, int64_t predicted);

  int64_t classes() const { return classes_; }
  int64_t count(int64_t truth, int64_t predicted) const { return counts_[index(truth, predicted)]; }
  int64_t total() const;
  // The share on the diagonal; 0 of nothing.
  double accuracy() const;
  std::vector<ClassMeasures> per_class() const;
  // The mean over the classes that occur, in truth or in prediction; the counts are sums.
  ClassMeasures macro() const;

 private:
  std::size_t index(int64_t truth, int64_t predicted) const;
  int64_t classes_;
  std::vector<int64_t> counts_;  // (classes, classes)
};

// The mean of the rows of `scores` (rows, classes) that belong to each group: a clip's prediction from its segments.
// group[row] is in 0 … groups - 1; a group without rows gives zeros.
std::vector<float> mean_by_group(std::span<const float> scores, int64_t classes, std::span<const int32_t> group,
                                 int64_t groups);

}  // namespace melgrad
