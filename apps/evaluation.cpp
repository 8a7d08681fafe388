#include "apps/evaluation.h"

#include <numeric>

#include "models/metrics/nearest_centroid.h"
#include "tensor/autograd.h"

namespace melgrad {
namespace {

// Calls body(batch, first) for the samples in order, `batch` at a time, with nothing recorded.
template <class Body>
void for_batches(const Samples& samples, int64_t batch, Device device, const Body& body) {
  const NoGrad no_grad;
  std::vector<int64_t> indices;
  for (int64_t first = 0; first < samples.size(); first += batch) {
    indices.resize(static_cast<std::size_t>(std::min(batch, samples.size() - first)));
    std::iota(indices.begin(), indices.end(), first);
    body(make_batch(samples, indices, device), first);
  }
}

Device device_of(const Sequential& network) {
  return network.state().front().tensor.device();
}

// The label of each clip: all its segments have the same.
std::vector<int32_t> clip_labels(const Samples& samples) {
  std::vector<int32_t> labels(static_cast<std::size_t>(samples.clips), -1);
  for (std::size_t i = 0; i < samples.labels.size(); ++i)
    labels[static_cast<std::size_t>(samples.clip[i])] = samples.labels[i];
  return labels;
}

// The mean over time of each sample: (n, bins).
std::vector<float> mean_over_frames(const Samples& samples) {
  const auto frames = static_cast<std::size_t>(samples.input[0]);
  const auto bins = static_cast<std::size_t>(samples.input.numel()) / frames;
  std::vector<float> means(static_cast<std::size_t>(samples.size()) * bins);
  for (std::size_t i = 0; i < static_cast<std::size_t>(samples.size()); ++i) {
    for (std::size_t bin = 0; bin < bins; ++bin) {
      double sum = 0;
      for (std::size_t frame = 0; frame < frames; ++frame) sum += samples.inputs[(i * frames + frame) * bins + bin];
      means[i * bins + bin] = static_cast<float>(sum / static_cast<double>(frames));
    }
  }
  return means;
}

struct Units {  // what counts as one: a clip or a segment
  std::vector<float> vectors;
  std::vector<int32_t> labels;
};

Units units_of(const Samples& samples, bool by_clip) {
  std::vector<float> vectors = mean_over_frames(samples);
  if (!by_clip) return {std::move(vectors), samples.labels};
  const int64_t bins = samples.input.numel() / samples.input[0];
  return {mean_by_group(vectors, bins, samples.clip, samples.clips), clip_labels(samples)};
}

}  // namespace

std::vector<float> predict(Sequential& network, const Samples& samples, int64_t batch) {
  const int64_t classes = network.output_shape()[0];
  std::vector<float> scores;
  scores.reserve(static_cast<std::size_t>(samples.size() * classes));
  for_batches(samples, batch, device_of(network), [&](const Batch& part, int64_t) {
    const Tensor result = network.forward(part.inputs).to(Device::cpu);
    scores.insert(scores.end(), result.data<float>().begin(), result.data<float>().end());
  });
  return scores;
}

SegmentScore score_segments(Sequential& network, const Samples& samples, Loss loss, int64_t batch) {
  const auto classes = static_cast<std::size_t>(network.output_shape()[0]);
  double loss_sum = 0;
  int64_t correct = 0;
  for_batches(samples, batch, device_of(network), [&](const Batch& part, int64_t first) {
    const Tensor output = network.pre_activation(part.inputs);
    const auto rows = part.labels.numel();
    loss_sum += compute_loss(loss, output, part.labels).item() * static_cast<double>(rows);
    const Tensor host = output.to(Device::cpu);
    for (int64_t row = 0; row < rows; ++row) {
      const auto scores = host.data<float>().subspan(static_cast<std::size_t>(row) * classes, classes);
      correct += argmax(scores) == samples.labels[static_cast<std::size_t>(first + row)];
    }
  });
  const double n = static_cast<double>(std::max<int64_t>(samples.size(), 1));
  return {loss_sum / n, static_cast<double>(correct) / n};
}

Evaluation evaluate(Sequential& network, const Samples& samples, Loss loss, int64_t batch, bool by_clip) {
  const int64_t classes = network.output_shape()[0];
  const SegmentScore segments = score_segments(network, samples, loss, batch);
  Evaluation evaluation{.clips = samples.clips,
                        .segments = samples.size(),
                        .loss = segments.loss,
                        .segment_accuracy = segments.accuracy,
                        .by_clip = by_clip,
                        .confusion = ConfusionMatrix(classes)};
  std::vector<float> scores = predict(network, samples, batch);
  std::vector<int32_t> labels = samples.labels;
  if (by_clip) {
    scores = mean_by_group(scores, classes, samples.clip, samples.clips);
    labels = clip_labels(samples);
  }
  const auto width = static_cast<std::size_t>(classes);
  for (std::size_t i = 0; i < labels.size(); ++i)
    evaluation.confusion.add(labels[i], argmax(std::span(scores).subspan(i * width, width)));
  return evaluation;
}

double nearest_centroid_accuracy(const Samples& train, const Samples& test, int64_t classes, bool by_clip) {
  const auto bins = static_cast<std::size_t>(train.input.numel() / train.input[0]);
  const Units known = units_of(train, by_clip);
  const Units asked = units_of(test, by_clip);
  const NearestCentroid classifier(known.vectors, static_cast<int64_t>(bins), known.labels, classes);
  ConfusionMatrix confusion(classes);
  for (std::size_t i = 0; i < asked.labels.size(); ++i)
    confusion.add(asked.labels[i], classifier.predict(std::span(asked.vectors).subspan(i * bins, bins)));
  return confusion.accuracy();
}

}  // namespace melgrad
