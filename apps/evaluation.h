// A network's predictions for samples, and how good they are.
#pragma once

#include "apps/samples.h"
#include "layers/loss.h"
#include "layers/sequential.h"
#include "models/metrics/classification.h"
#include "models/metrics/tagging.h"

namespace melgrad {

// Probabilities (n, classes) in inference mode.
std::vector<float> predict(Sequential& network, const Samples& samples, int64_t batch);

// How many samples of a batch a network got right, from its output before `activation`: those whose largest output is
// that of the label or of a largest target (of several tags, any). With binary cross-entropy each output counts by itself (above one half or
// not), a sample as the share that is right.
double count_correct(const LossOptions& loss, const Tensor& output, ActivationFunction activation,
                     const Tensor& targets);

struct SegmentScore {
  double loss = 0;      // mean over segments
  double accuracy = 0;  // of segments
};
// What training watches: loss and accuracy of each segment by itself. `fuse` as in Pass.
SegmentScore score_segments(Sequential& network, const Samples& samples, const LossOptions& loss, int64_t batch,
                            bool fuse = true);

// What a sample's targets are.
enum class TargetKind : uint8_t {
  classes,  // one class a sample: labels, or rows that are distributions
  tags,     // rows of zeros and ones
  values,   // numbers to approximate: the loss is all there is to say
};
TargetKind kind_of(const Samples& samples, const LossOptions& loss);

// Unit: a clip, or a segment where each counts by itself.
struct Evaluation {
  int64_t clips = 0;
  int64_t segments = 0;
  double loss = 0;              // mean over segments
  double segment_accuracy = 0;  // each segment by itself
  bool by_clip = false;         // whether units are clips, the scores of a clip's segments averaged
  TargetKind kind = TargetKind::classes;
  std::vector<int32_t> truth{}, predicted{};  // (units): classes
  ConfusionMatrix confusion{0};               // classes
  std::vector<float> scores{}, targets{};     // (units, tags): tags
  int64_t tags = 0;

  int64_t units() const { return by_clip ? clips : segments; }
  TagMatrix tag_matrix() const { return {scores, targets, units(), tags}; }
};
Evaluation evaluate(Sequential& network, const Samples& samples, const LossOptions& loss, int64_t batch, bool by_clip);

// What the nearest-centroid classifier on each unit's mean feature vector, fitted on `train`, makes of `test`: the
// baseline. Loss and segment accuracy stay 0.
Evaluation evaluate_centroid(const Samples& train, const Samples& test, const LossOptions& loss, int64_t outputs,
                             bool by_clip);

}  // namespace melgrad
