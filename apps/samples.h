// What a network is trained and evaluated on: inputs, in memory or made when they are asked for, with their labels.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "audio/segment_source.h"
#include "layers/loss.h"
#include "tensor/tensor.h"

namespace melgrad {

struct Samples {
  Shape input{};                // of one sample
  std::vector<float> inputs{};  // (n, input…); or empty, and `source` has them: read_input() knows either
  std::shared_ptr<const SegmentSource> source{};
  std::vector<int32_t> labels{};  // (n), or empty where a sample has no single class
  std::vector<float> targets{};   // (n, outputs), or empty: what the loss compares with, where labels do not do
  int64_t outputs = 0;            // of targets
  std::vector<int32_t> clip{};    // (n): which clip a sample is a segment of, 0 … clips - 1
  int64_t clips = 0;
  bool keys = false;  // whether the labels are the 24 of key_labels(), which a shift in pitch moves

  int64_t size() const { return static_cast<int64_t>(clip.size()); }
};

// One sample's input: (input…).
void read_input(const Samples& samples, int64_t index, std::span<float> to);

// The samples of these indices as a batch on a device.
struct Batch {
  Tensor inputs;   // (n, input…) f32
  Tensor targets;  // (n) i32 labels, or (n, outputs) f32
};
Batch make_batch(const Samples& samples, std::span<const int64_t> indices, Device device);

// One row of zeros and a one a sample, from the labels.
void make_one_hot_targets(Samples& samples, int64_t outputs);

// Makes the targets fit a network of so many outputs and its loss: labels become one-hot rows for a loss that is not
// cross-entropy. Throws if a label or the number of targets does not fit.
void fit_targets(Samples& samples, Loss loss, int64_t outputs);

// A number that changes when a sample, a label or the order changes: a resumed run must find the data it left.
uint64_t fingerprint(const Samples& samples);

}  // namespace melgrad
