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

double NearestCentroid::distance(std::span<const float> vector, int64_t label) const {
  const auto c = static_cast<std::size_t>(label), width = static_cast<std::size_t>(size_);
  if (!present_[c]) return std::numeric_limits<double>::infinity();
  double sum = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const double difference = (vector[i] - mean_[i]) / deviation_[i] - centroids_[c * width + i];
    sum += difference * difference;
  }
  return sum;
}

int64_t NearestCentroid::predict(std::span<const float> vector) const {
  int64_t nearest = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int64_t c = 0; c < static_cast<int64_t>(present_.size()); ++c) {
    const double to_class = distance(vector, c);
    if (to_class < least) {
      least = to_class;
      nearest = c;
    }
  }
  return nearest;
}

std::vector<float> nearest_centroid_tags(std::span<const float> train, int64_t size, std::span<const float> truth,
                                         int64_t tags, std::span<const float> asked) {
  const auto width = static_cast<std::size_t>(size), columns = static_cast<std::size_t>(tags);
  const std::size_t n = train.size() / width, m = asked.size() / width;
  require(train.size() == n * width && truth.size() == n * columns && asked.size() == m * width,
          "nearest centroid: {} and {} numbers for vectors of {}, {} targets for {} tags", train.size(), asked.size(),
          size, truth.size(), tags);
  std::vector<float> scores(m * columns);
  std::vector<int32_t> has_tag(n);
  for (std::size_t tag = 0; tag < columns; ++tag) {
    for (std::size_t row = 0; row < n; ++row) has_tag[row] = truth[row * columns + tag] == 1;
    const NearestCentroid classifier(train, size, has_tag, 2);
    for (std::size_t row = 0; row < m; ++row) {
      const auto vector = asked.subspan(row * width, width);
      const double score = classifier.distance(vector, 0) - classifier.distance(vector, 1);
      scores[row * columns + tag] = std::isfinite(score) ? static_cast<float>(score) : 0.0f;
    }
  }
  return scores;
}

}  // namespace melgrad
