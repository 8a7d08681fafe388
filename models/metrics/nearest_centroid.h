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
  // Squared, to the mean of a class; infinite for one without vectors.
  double distance(std::span<const float> vector, int64_t label) const;

 private:
  int64_t size_;
  std::vector<double> mean_, deviation_;  // (size)
  std::vector<double> centroids_;         // (classes, size), standardised
  std::vector<bool> present_;             // (classes)
};

// The same for tags: a tag's clips have one mean, the others another, and the score of a vector is by how much it is
// nearer to the first. train (n, size), truth (n, tags) of 0 and 1, asked (m, size) -> (m, tags). A tag that all clips
// have, or none, gets zeros.
std::vector<float> nearest_centroid_tags(std::span<const float> train, int64_t size, std::span<const float> truth,
                                         int64_t tags, std::span<const float> asked);

}  // namespace melgrad
