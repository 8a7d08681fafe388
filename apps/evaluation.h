// A network's predictions for samples, and how good they are.
#pragma once

#include "apps/samples.h"
#include "layers/loss.h"
#include "layers/sequential.h"
#include "models/metrics/classification.h"

namespace melgrad {

// Probabilities (n, classes) in inference mode.
std::vector<float> predict(Sequential& network, const Samples& samples, int64_t batch);

// How many samples of a batch a network got right, from its output before `activation`: those whose largest output is
// that of the label or of the largest target. With binary cross-entropy each output counts by itself (above one half or
// not), a sample as the share that is right.
double count_correct(const LossOptions& loss, const Tensor& output, ActivationFunction activation,
                     const Tensor& targets);

struct SegmentScore {
  double loss = 0;      // mean over segments
  double accuracy = 0;  // of segments
};
// What training watches: loss and accuracy of each segment by itself.
SegmentScore score_segments(Sequential& network, const Samples& samples, const LossOptions& loss, int64_t batch);

struct Evaluation {
  int64_t clips = 0;
  int64_t segments = 0;
  double loss = 0;              // mean over segments
  double segment_accuracy = 0;  // each segment by itself
  bool by_clip = false;         // whether `confusion` counts clips (segments averaged) or segments
  bool single_label = true;     // whether a sample has one class; if not, there is no confusion
  ConfusionMatrix confusion{0};
};
// `by_clip`: the probabilities of a clip's segments are averaged and the clip counts once.
Evaluation evaluate(Sequential& network, const Samples& samples, const LossOptions& loss, int64_t batch, bool by_clip);

// Accuracy on `test` of the nearest-centroid classifier on each clip's mean feature vector, fitted on `train`. Clips
// (or segments) count as in evaluate().
double nearest_centroid_accuracy(const Samples& train, const Samples& test, int64_t classes, bool by_clip);

}  // namespace melgrad
