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

// The class of each sample: its label, or where its largest target is.
std::vector<int32_t> classes_of(const Samples& samples) {
  if (!samples.labels.empty()) return samples.labels;
  std::vector<int32_t> classes;
  const auto outputs = static_cast<std::size_t>(samples.outputs);
  for (std::size_t i = 0; i < samples.targets.size(); i += outputs)
    classes.push_back(static_cast<int32_t>(argmax(std::span(samples.targets).subspan(i, outputs))));
  return classes;
}

// The class of each clip: all its segments have the same.
std::vector<int32_t> clip_classes(const Samples& samples) {
  const std::vector<int32_t> each = classes_of(samples);
  std::vector<int32_t> classes(static_cast<std::size_t>(samples.clips), -1);
  for (std::size_t i = 0; i < each.size(); ++i) classes[static_cast<std::size_t>(samples.clip[i])] = each[i];
  return classes;
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
  if (!by_clip) return {std::move(vectors), classes_of(samples)};
  const int64_t bins = samples.input.numel() / samples.input[0];
  return {mean_by_group(vectors, bins, samples.clip, samples.clips), clip_classes(samples)};
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

double count_correct(const LossOptions& loss, const Tensor& output, ActivationFunction activation,
                     const Tensor& targets) {
  const Tensor scores = output.detach().to(Device::cpu), truth = targets.to(Device::cpu);
  const auto classes = static_cast<std::size_t>(scores.shape()[1]);
  const auto rows = static_cast<std::size_t>(scores.shape()[0]);
  const auto row_of = [&](const Tensor& tensor, std::size_t row) {
    return tensor.data<float>().subspan(row * classes, classes);
  };
  const bool hard = truth.dtype() == DType::i32;
  double correct = 0;
  if (!hard && loss.loss == Loss::binary_cross_entropy) {
    const Tensor values = apply_activation(activation, scores);
    const bool probabilities = activation == ActivationFunction::sigmoid || activation == ActivationFunction::softmax;
    const float border = probabilities ? 0.5f : 0.0f;
    for (std::size_t i = 0; i < rows * classes; ++i)
      correct += (values.data<float>()[i] > border) == (truth.data<float>()[i] > 0.5f);
    return correct / static_cast<double>(classes);
  }
  if (classes == 1 && !hard) return 0;  // a number to approximate has no class
  for (std::size_t row = 0; row < rows; ++row) {
    const int64_t label = hard ? truth.data<int32_t>()[row] : argmax(row_of(truth, row));
    correct += argmax(row_of(scores, row)) == label;
  }
  return correct;
}

SegmentScore score_segments(Sequential& network, const Samples& samples, const LossOptions& loss, int64_t batch) {
  LossOptions unweighted = loss;
  unweighted.class_weights.clear();
  unweighted.reduction = LossReduction::mean;
  double loss_sum = 0, correct = 0;
  for_batches(samples, batch, device_of(network), [&](const Batch& part, int64_t) {
    const Tensor output = network.pre_activation(part.inputs);
    const Tensor value = compute_loss(unweighted, output, network.activation(), part.targets);
    loss_sum += value.item() * static_cast<double>(part.inputs.shape()[0]);
    correct += count_correct(unweighted, output, network.activation(), part.targets);
  });
  const double n = static_cast<double>(std::max<int64_t>(samples.size(), 1));
  return {loss_sum / n, correct / n};
}

Evaluation evaluate(Sequential& network, const Samples& samples, const LossOptions& loss, int64_t batch, bool by_clip) {
  const int64_t classes = network.output_shape()[0];
  const SegmentScore segments = score_segments(network, samples, loss, batch);
  Evaluation evaluation{.clips = samples.clips,
                        .segments = samples.size(),
                        .loss = segments.loss,
                        .segment_accuracy = segments.accuracy,
                        .by_clip = by_clip,
                        .single_label = !samples.labels.empty() || loss.loss == Loss::cross_entropy,
                        .confusion = ConfusionMatrix(classes)};
  if (!evaluation.single_label) return evaluation;
  std::vector<float> scores = predict(network, samples, batch);
  std::vector<int32_t> labels = classes_of(samples);
  if (by_clip) {
    scores = mean_by_group(scores, classes, samples.clip, samples.clips);
    labels = clip_classes(samples);
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
