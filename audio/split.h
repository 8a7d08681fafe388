// Which samples of a data set a network trains on, is chosen by and is tested with.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "audio/reader.h"

namespace melgrad {

// Indices of samples (segments), each in ascending order.
struct SplitIndices {
  std::vector<int64_t> train;
  std::vector<int64_t> valid;
  std::vector<int64_t> test;
};

// `clip` (samples): which of `clips` each sample is a segment of. Equal arguments give equal splits, anywhere.
//
// random_segments: of all n samples, ceil(test · n) are drawn for the test, of the others ceil(valid · others) for
//   validation, as two calls of scikit-learn's train_test_split do. Pieces of one clip come to lie on both sides.
// random_tracks: the same within each class, by clips: one is wholly in one split. Every class keeps a clip to train
// on. Clips with none or several labels make one class. lists, official: as Clip::split says. Throws Error naming a
// clip that these leave out.
SplitIndices split_samples(const DataOptions& options, uint64_t seed, std::span<const Clip> clips,
                           std::span<const int32_t> clip);

// In words, for every figure that a split gave: "random over segments (25 % test, …): …", then what decided which clips
// there are.
std::string describe_split(const DataOptions& options, const std::string& protocol = "");

}  // namespace melgrad
