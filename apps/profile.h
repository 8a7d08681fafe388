// Where the time of one training step goes: layer by layer, forward and backward, with what each must cost at least.
#pragma once

#include <string>
#include <vector>

#include "apps/training_step.h"
#include "kernels/cost.h"

namespace melgrad {

// A layer, layers that run as one, or a part of the step that is no layer: loss, update, and whatever lies between.
struct ProfileRow {
  std::string name;                   // "conv1d_1", "loss"
  std::vector<std::string> layers{};  // more than one where they are fused
  double forward_seconds = 0, backward_seconds = 0;
  Cost forward{}, backward{};
  int64_t kept_bytes = 0;  // what memory in use grew by in its forward pass: mostly what its backward pass needs
  double seconds() const { return forward_seconds + backward_seconds; }
};

// A stretch of the step in which one row ran.
struct ProfileEvent {
  std::size_t row = 0;
  std::string operation{};  // of a backward function; or "forward"
  bool backward = false;
  double start = 0, seconds = 0;
  int64_t bytes_in_use = 0;  // at its end
};

struct StepProfile {
  std::vector<ProfileRow> rows{};  // in the order of the forward pass; then "loss", "update" and "between"
  std::vector<ProfileEvent> events{};
  double seconds = 0;          // of the step, by a clock of its own
  double plain_seconds = 0;    // of a step that is not watched: the median of those that ran
  int64_t peak_bytes = 0;      // of tensors, scratch memory included
  int64_t resident_bytes = 0;  // in use between steps: weights, gradients, the optimizer's state, the batch
  double rows_seconds() const;
};

// Takes two steps to warm up, then `steps` plain ones and `steps` watched ones in turns; the watched one of median time is
// what is returned. The step's tensors are on the CPU or on simt, whose operations end before they return.
StepProfile profile_training(Sequential& network, TrainingStep& step, const Batch& batch, double learning_rate,
                             int steps);

// For chrome://tracing and ui.perfetto.dev: the step's stretches, and memory as a curve.
std::string format_trace(const StepProfile& profile, const std::string& title);

}  // namespace melgrad
