#include "models/metrics/nearest_centroid.h"

#include <cmath>
#include <limits>

#include "kernels/error.h"

namespace melgrad {

NearestCentroid::NearestCentroid(std::span<const float> vectors, int64_t size, std::span<const int32_t> labels,
                                 int64_t classes)
    : size_(size),
      mean_(static_cast<std::size_t>(size)),
      deviation_(static_cast<std::size_t>(size)),
      centroids_(static_cast<std::size_t>(classes * size)),
      present_(static_cast<std::size_t>(classes)) {
  const std::size_t n = labels.size(), width = static_cast<std::size_t>(size);
  require(n > 0 && vectors.size() == n * width, "nearest centroid: {} numbers for {} vectors of {}", vectors.size(), n,
          size);
  for (std::size_t i = 0; i < vectors.size(); ++i) mean_[i % width] += vectors[i];
  for (double& value : mean_) value /= static_cast<double>(n);
  for (std::size_t i = 0; i < vectors.size(); ++i) deviation_[i % width] += std::pow(vectors[i] - mean_[i % width], 2);
  for (double& value : deviation_) {
    value = std::sqrt(value / static_cast<double>(n));
    if (value == 0) value = 1;  // a constant coordinate tells nothing
  }
  std::vector<double> count(static_cast<std::size_t>(classes));
  for (std::size_t row = 0; row < n; ++row) {
    require(labels[row] >= 0 && labels[row] < classes, "nearest centroid: label {} is not among {}", labels[row],
            classes);
    const auto label = static_cast<std::size_t>(labels[row]);
    ++count[label];
    present_[label] = true;
    for (std::size_t i = 0; i < width; ++i)
      centroids_[label * width + i] += (vectors[row * width + i] - mean_[i]) / deviation_[i];
  }
  for (std::size_t i = 0; i < centroids_.size(); ++i)
    if (present_[i / width]) centroids_[i] /= count[i / width];
}

int64_t NearestCentroid::predict(std::span<const float> vector) const {
  int64_t nearest = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < present_.size(); ++c) {
    if (!present_[c]) continue;
    double distance = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(size_); ++i) {
      const double difference =
          (vector[i] - mean_[i]) / deviation_[i] - centroids_[c * static_cast<std::size_t>(size_) + i];
      distance += difference * difference;
    }
    if (distance < least) {
      least = distance;
      nearest = static_cast<int64_t>(c);
    }
  }
  return nearest;
}

}  // namespace melgrad
