#include "models/metrics/classification.h"

#include <algorithm>
#include <numeric>

#include "kernels/error.h"

namespace melgrad {

int64_t argmax(std::span<const float> scores) {
  return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

ConfusionMatrix::ConfusionMatrix(int64_t classes)
    : classes_(classes), counts_(static_cast<std::size_t>(classes * classes)) {}

std::size_t ConfusionMatrix::index(int64_t truth, int64_t predicted) const {
  require(truth >= 0 && truth < classes_ && predicted >= 0 && predicted < classes_,
          "confusion matrix: class {} or {} is not among {}", truth, predicted, classes_);
  return static_cast<std::size_t>(truth * classes_ + predicted);
}

void ConfusionMatrix::add(int64_t truth, int64_t predicted) {
  ++counts_[index(truth, predicted)];
}

int64_t ConfusionMatrix::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
}

double ConfusionMatrix::accuracy() const {
  int64_t right = 0;
  for (int64_t c = 0; c < classes_; ++c) right += count(c, c);
  return total() == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(total());
}

std::vector<ClassMeasures> ConfusionMatrix::per_class() const {
  const auto ratio = [](double part, double whole) { return whole == 0 ? 0.0 : part / whole; };
  std::vector<ClassMeasures> all(static_cast<std::size_t>(classes_));
  for (int64_t truth = 0; truth < classes_; ++truth) {
    for (int64_t predicted = 0; predicted < classes_; ++predicted) {
      all[static_cast<std::size_t>(truth)].labelled += count(truth, predicted);
      all[static_cast<std::size_t>(predicted)].predicted += count(truth, predicted);
    }
    all[static_cast<std::size_t>(truth)].right = count(truth, truth);
  }
  for (ClassMeasures& one : all) {
    const auto right = static_cast<double>(one.right);
    one.precision = ratio(right, static_cast<double>(one.predicted));
    one.recall = ratio(right, static_cast<double>(one.labelled));
    one.f1 = ratio(2 * right, static_cast<double>(one.predicted + one.labelled));
  }
  return all;
}

ClassMeasures ConfusionMatrix::macro() const {
  ClassMeasures sum;
  double occurring = 0;
  for (const ClassMeasures& one : per_class()) {
    if (one.labelled + one.predicted == 0) continue;
    ++occurring;
    sum.precision += one.precision;
    sum.recall += one.recall;
    sum.f1 += one.f1;
    sum.labelled += one.labelled;
    sum.predicted += one.predicted;
    sum.right += one.right;
  }
  for (double* value : {&sum.precision, &sum.recall, &sum.f1}) *value /= std::max(occurring, 1.0);
  return sum;
}

std::vector<float> mean_by_group(std::span<const float> scores, int64_t classes, std::span<const int32_t> group,
                                 int64_t groups) {
  std::vector<double> sums(static_cast<std::size_t>(groups * classes));
  std::vector<int64_t> rows(static_cast<std::size_t>(groups));
  for (std::size_t row = 0; row < group.size(); ++row) {
    require(group[row] >= 0 && group[row] < groups, "mean_by_group: group {} is not among {}", group[row], groups);
    ++rows[static_cast<std::size_t>(group[row])];
    for (int64_t c = 0; c < classes; ++c)
      sums[static_cast<std::size_t>(group[row] * classes + c)] +=
          scores[row * static_cast<std::size_t>(classes) + static_cast<std::size_t>(c)];
  }
  std::vector<float> means(sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const int64_t count = rows[i / static_cast<std::size_t>(classes)];
    means[i] = count == 0 ? 0.0f : static_cast<float>(sums[i] / static_cast<double>(count));
  }
  return means;
}

}  // namespace melgrad
