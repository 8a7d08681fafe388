// The baseline that a network must beat: each class is the mean of its training vectors, and a vector belongs to the
// nearest mean. Coordinates are standardised by the training set's mean and deviation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace melgrad {

class NearestCentroid {
 public:
  // vectors (n, size), labels (n) in 0 … classes - 1. A class without vectors is never predicted.
  NearestCentroid(std::span<const float> vectors, int64_t size, std::span<const int32_t> labels, int64_t classes);
  int64_t predict(std::span<const float> vector) const;

 private:
  int64_t size_;
  std::vector<double> mean_, deviation_;  // (size)
  std::vector<double> centroids_;         // (classes, size), standardised
  std::vector<bool> present_;             // (classes)
};

}  // namespace melgrad
