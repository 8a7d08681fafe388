// What a network is trained and evaluated on: inputs with their labels, in memory.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace melgrad {

struct Samples {
  Shape input{};                  // of one sample
  std::vector<float> inputs{};    // (n, input…)
  std::vector<int32_t> labels{};  // (n)
  std::vector<int32_t> clip{};    // (n): which clip a sample is a segment of, 0 … clips - 1
  int64_t clips = 0;

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

// The samples of these indices as a batch on a device.
struct Batch {
  Tensor inputs;  // (n, input…) f32
  Tensor labels;  // (n) i32
};
Batch make_batch(const Samples& samples, std::span<const int64_t> indices, Device device);

// A number that changes when a sample, a label or the order changes: a resumed run must find the data it left.
uint64_t fingerprint(const Samples& samples);

}  // namespace melgrad
