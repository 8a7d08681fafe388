#include "apps/evaluation.h"

#include <algorithm>
#include <cmath>
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
  std::vector<float> input(frames * bins);
  for (std::size_t i = 0; i < static_cast<std::size_t>(samples.size()); ++i) {
    read_input(samples, static_cast<int64_t>(i), input);
    for (std::size_t bin = 0; bin < bins; ++bin) {
      double sum = 0;
      for (std::size_t frame = 0; frame < frames; ++frame) sum += input[frame * bins + bin];
      means[i * bins + bin] = static_cast<float>(sum / static_cast<double>(frames));
    }
  }
  return means;
}

// Vectors of each unit: a clip's is the mean of its segments'.
std::vector<float> by_unit(std::vector<float> vectors, const Samples& samples, int64_t width, bool by_clip) {
  return by_clip ? mean_by_group(vectors, width, samples.clip, samples.clips) : std::move(vectors);
}

std::vector<int32_t> unit_classes(const Samples& samples, bool by_clip) {
  return by_clip ? clip_classes(samples) : classes_of(samples);
}

std::vector<float> mean_features(const Samples& samples, bool by_clip) {
  return by_unit(mean_over_frames(samples), samples, samples.input.numel() / samples.input[0], by_clip);
}

Evaluation start_evaluation(const Samples& samples, const LossOptions& loss, int64_t outputs, bool by_clip) {
  Evaluation evaluation{.clips = samples.clips,
                        .segments = samples.size(),
                        .by_clip = by_clip,
                        .kind = kind_of(samples, loss),
                        .confusion = ConfusionMatrix(outputs)};
  if (evaluation.kind == TargetKind::classes) evaluation.truth = unit_classes(samples, by_clip);
  if (evaluation.kind == TargetKind::tags) {
    evaluation.targets = by_unit(samples.targets, samples, outputs, by_clip);
    evaluation.tags = outputs;
  }
  return evaluation;
}

void add_prediction(Evaluation& evaluation, int64_t predicted) {
  evaluation.confusion.add(evaluation.truth[evaluation.predicted.size()], predicted);
  evaluation.predicted.push_back(static_cast<int32_t>(predicted));
}

}  // namespace

std::vector<float> predict(Sequential& network, const Samples& samples, int64_t batch) {
  const int64_t classes = network.output_shape()[0];
  std::vector<float> scores;
  scores.reserve(static_cast<std::size_t>(samples.size() * classes));
  for_batches(samples, batch, device_of(network), [&](const Batch& part, int64_t) {
    const Tensor result = network.forward(part.inputs, {.fuse = true}).to(Device::cpu);
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
    const int64_t first = argmax(row_of(scores, row));
    if (hard) {
      correct += first == truth.data<int32_t>()[row];
    } else {
      const auto wanted = row_of(truth, row);  // of several labels each is right
      correct += wanted[static_cast<std::size_t>(first)] == *std::ranges::max_element(wanted);
    }
  }
  return correct;
}

SegmentScore score_segments(Sequential& network, const Samples& samples, const LossOptions& loss, int64_t batch,
                            bool fuse) {
  LossOptions unweighted = loss;
  unweighted.class_weights.clear();
  unweighted.reduction = LossReduction::mean;
  double loss_sum = 0, correct = 0;
  for_batches(samples, batch, device_of(network), [&](const Batch& part, int64_t) {
    const Tensor output = network.pre_activation(part.inputs, {.fuse = fuse});
    const Tensor value = compute_loss(unweighted, output, network.activation(), part.targets);
    loss_sum += value.item() * static_cast<double>(part.inputs.shape()[0]);
    correct += count_correct(unweighted, output, network.activation(), part.targets);
  });
  const double n = static_cast<double>(std::max<int64_t>(samples.size(), 1));
  return {loss_sum / n, correct / n};
}

TargetKind kind_of(const Samples& samples, const LossOptions& loss) {
  if (!samples.labels.empty()) return TargetKind::classes;
  const auto outputs = static_cast<std::size_t>(std::max<int64_t>(samples.outputs, 1));
  bool distributions = true, tags = true;
  for (std::size_t row = 0; row < samples.targets.size(); row += outputs) {
    const auto targets = std::span(samples.targets).subspan(row, outputs);
    distributions = distributions && std::abs(std::accumulate(targets.begin(), targets.end(), 0.0) - 1) < 1e-3;
    tags = tags && std::ranges::all_of(targets, [](float target) { return target == 0 || target == 1; });
  }
  const bool chosen = loss.loss == Loss::cross_entropy && loss.target_scale == TargetScale::as_given;
  if (chosen && distributions) return TargetKind::classes;
  return tags ? TargetKind::tags : TargetKind::values;
}

Evaluation evaluate(Sequential& network, const Samples& samples, const LossOptions& loss, int64_t batch, bool by_clip) {
  const int64_t outputs = network.output_shape()[0];
  Evaluation evaluation = start_evaluation(samples, loss, outputs, by_clip);
  const SegmentScore segments = score_segments(network, samples, loss, batch);
  evaluation.loss = segments.loss;
  evaluation.segment_accuracy = segments.accuracy;
  if (evaluation.kind == TargetKind::values) return evaluation;
  std::vector<float> scores = by_unit(predict(network, samples, batch), samples, outputs, by_clip);
  if (evaluation.kind == TargetKind::tags) {
    evaluation.scores = std::move(scores);
    return evaluation;
  }
  const auto width = static_cast<std::size_t>(outputs);
  for (std::size_t i = 0; i < scores.size(); i += width)
    add_prediction(evaluation, argmax(std::span(scores).subspan(i, width)));
  return evaluation;
}

Evaluation evaluate_centroid(const Samples& train, const Samples& test, const LossOptions& loss, int64_t outputs,
                             bool by_clip) {
  Evaluation evaluation = start_evaluation(test, loss, outputs, by_clip);
  require(evaluation.kind != TargetKind::values, "the nearest centroid is for classes and tags");
  const int64_t size = train.input.numel() / train.input[0];
  const std::vector<float> known = mean_features(train, by_clip), asked = mean_features(test, by_clip);
  if (evaluation.kind == TargetKind::tags) {
    const std::vector<float> truth = by_unit(train.targets, train, outputs, by_clip);
    evaluation.scores = nearest_centroid_tags(known, size, truth, outputs, asked);
    return evaluation;
  }
  const NearestCentroid classifier(known, size, unit_classes(train, by_clip), outputs);
  const auto width = static_cast<std::size_t>(size);
  for (std::size_t i = 0; i < asked.size(); i += width)
    add_prediction(evaluation, classifier.predict(std::span(asked).subspan(i, width)));
  return evaluation;
}

}  // namespace melgrad
